/** An entry that is not what the directory of its archive says, in one line: what, where. */
export class Damaged extends Error {}

export const ENCODINGS: readonly string[] = ['utf-8', 'gbk', 'cp437']
export const encodingNamed = (name: string): string | undefined => ENCODINGS.find((one) => one === name)
export const decoderOf = (name: string) => {
  const decoder = new TextDecoder(name === 'cp437' ? 'latin1' : name)
  return (bytes: Uint8Array) => decoder.decode(bytes.slice())
}
export const detectEncoding = (_samples: readonly Uint8Array[], _hint: { dosHost: boolean }) => ({
  encoding: 'gbk',
  confidence: 'possible' as 'likely' | 'possible',
  others: [] as string[],
})

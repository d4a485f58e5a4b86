/**
 * In which encoding names are that do not say so: for each, how many bits it would take to say these bytes if it were
 * the one, with what is known of names in its languages. The fewest win.
 */
import { type Decoder, decoderOf, type Encoding } from './encoding.ts'

export interface Hint {
  /** Made on DOS or Windows, where names are in the code page of the console. */
  readonly isDosHost: boolean
}

export interface Detected {
  readonly encoding: Encoding
  readonly confidence: 'likely' | 'possible'
  /** Those by which the names would read otherwise and nearly as well, the likelier first. */
  readonly others: readonly Encoding[]
}

/** More does not help, and takes time. */
const SAMPLES_MAX = 300
const SAMPLE_BYTES = 512

/** By how many bits another encoding has to be worse to be out of the question; one bit doubles the odds. */
const CLEAR_BITS = 10
/** So many characters beyond ASCII are valid UTF-8 by chance in no other encoding. */
const UTF8_ENOUGH = 4
const OTHER_BITS = 25

/** Bits for a character that is not ASCII, after the one before it (0: none). */
type Cost = (character: number, before: number) => number

interface Model {
  readonly encoding: Encoding
  readonly cost: Cost
}

/** In which encoding names are, of which at least one has a byte above 0x7f. */
export function detectEncoding(names: readonly Uint8Array[], hint: Hint): Detected {
  const samples = names.filter(hasHighByte).slice(0, SAMPLES_MAX).map(shortened)
  const isValid = samples.every(isUtf8)
  if (isValid && highCharacters(textOf(samples, decoderOf('utf-8'))) >= UTF8_ENOUGH) {
    return { encoding: 'utf-8', confidence: 'likely', others: [] }
  }
  const others = models()
  const scored = [...others, ...(isValid ? [utf8(others)] : [])]
    .map(({ encoding, cost }) => {
      const decode = decoderOf(encoding)
      return { encoding, bits: prior(encoding, hint) + sum(samples, decode, cost), text: textOf(samples, decode) }
    })
    .sort((a, b) => a.bits - b.bits)
  const best = scored[0]!
  const rivals = scored.filter(({ bits, text }) => text !== best.text && bits - best.bits < OTHER_BITS)
  const isClear = rivals.every(({ bits }) => bits - best.bits >= CLEAR_BITS)
  return {
    encoding: best.encoding,
    confidence: isClear ? 'likely' : 'possible',
    others: rivals.map(({ encoding }) => encoding),
  }
}

/** All the languages of the others. */
function utf8(others: readonly Model[]): Model {
  return {
    encoding: 'utf-8',
    cost: (code, before) => Math.min(...others.map(({ cost }) => cost(code, before))),
  }
}

const hasHighByte = (bytes: Uint8Array) => bytes.some((byte) => byte >= 0x80)
const highCharacters = (text: string) => [...text].filter((character) => character > '\x7f').length
const textOf = (samples: readonly Uint8Array[], decode: Decoder) => samples.map(decode).join('\n')

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Cut behind an ASCII character, so that none is cut in two. */
function shortened(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= SAMPLE_BYTES) return bytes
  let end = SAMPLE_BYTES
  while (end < bytes.length && bytes[end]! > SLASH) end++
  return bytes.subarray(0, end)
}

function sum(samples: readonly Uint8Array[], decode: Decoder, cost: Cost): number {
  let bits = 0
  for (const sample of samples) {
    let before = 0
    for (const character of decode(sample)) {
      const code = character.codePointAt(0)!
      bits +=
        code < 0x80
          ? asciiCost(code, before)
          : isNonsense(code)
            ? NONSENSE_BITS
            : cost(code, before) + eastAsianMix(code, before)
      before = code
    }
  }
  return bits
}

/** Words are in one script, but for Latin capitals. */
function asciiCost(code: number, before: number): number {
  if (before < 0x80 || !isAsciiLetter(code)) return ASCII_BITS
  if (isCyrillic(before)) return ASCII_BITS + MIXED_BITS
  return before >= 0x3000 && isSmallAscii(code) ? ASCII_BITS + MIXED_BITS : ASCII_BITS
}

const eastAsianMix = (code: number, before: number) => (code >= 0x3000 && isSmallAscii(before) ? MIXED_BITS : 0)

/** Windows' own archiver writes the code page of the console, other programs on Windows often that of windows. */
function prior(encoding: Encoding, { isDosHost }: Hint): number {
  if (encoding === 'utf-8') return -4
  if (encoding === 'cp437' || encoding === 'cp866') return isDosHost ? 0 : 2
  if (encoding === 'cp850') return isDosHost ? 0.5 : 2.5
  if (encoding === 'windows-1252' || encoding === 'windows-1251') return isDosHost ? 2 : 0
  return 0
}

const ASCII_BITS = 5
const NONSENSE_BITS = 30
/** For a change of script within a word. */
const MIXED_BITS = 7
const SLASH = 0x2f

/** Control characters, what could not be decoded, and what everybody may use as he likes. */
const isNonsense = (code: number) => code < 0xa0 || code === 0xfffd || (code >= 0xe000 && code <= 0xf8ff)

const isAsciiLetter = (code: number) => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
const isSmallAscii = (code: number) => code >= 0x61 && code <= 0x7a
const isHan = (code: number) => (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf)
const isWideLetter = (code: number) => code >= 0xff10 && code <= 0xff5a
const isHalfKana = (code: number) => code >= 0xff65 && code <= 0xff9f
const isKatakana = (code: number) => (code >= 0x30a1 && code <= 0x30fa) || code === 0x30fc
/** East Asian punctuation, also in the form of East Asian width. */
const isEastAsianMark = (code: number) =>
  (code >= 0x3000 && code <= 0x301f) || (code >= 0xff01 && code <= 0xff0f) || '·—…“”‘’×～－：；？'.includes(chr(code))
const chr = (code: number) => String.fromCodePoint(code)

/** What is common to names in East Asia, beside the script itself. */
function eastAsianCost(code: number, before: number): number {
  // Quotation marks and the like, which are in a word only by mistake.
  if (isEastAsianMark(code)) return code < 0x3000 && isSmallAscii(before) ? 11 + MIXED_BITS : 11
  if (isWideLetter(code)) return isAsciiLetter(before) ? 21 : 13
  return 22
}

function chinese(common: string, level1: ReadonlySet<string>): Cost {
  const often = new Set(common)
  return (code, before) => {
    if (!isHan(code)) return eastAsianCost(code, before)
    if (often.has(chr(code))) return 9.4
    return level1.has(chr(code)) ? 13 : 21
  }
}

function japanese(level1: ReadonlySet<string>): Cost {
  const often = new Set(JAPANESE)
  const kanji = (code: number) => (often.has(chr(code)) ? 10.3 : level1.has(chr(code)) ? 14 : 19)
  return (code, before) => {
    if (isHan(code)) return kanji(code)
    if (code >= 0x3041 && code <= 0x3096) return 7.9
    if (isKatakana(code)) return 8.2
    if (isHalfKana(code)) return isHalfKana(before) ? 7 : 13
    return eastAsianCost(code, before)
  }
}

function korean(standard: ReadonlySet<string>): Cost {
  const often = new Set(KOREAN)
  return (code, before) => {
    if (code < 0xac00 || code > 0xd7a3) return isHan(code) ? 20 : eastAsianCost(code, before)
    if (often.has(chr(code))) return 8.6
    return standard.has(chr(code)) ? 13.5 : 21
  }
}

const isCyrillic = (code: number) => (code >= 0x410 && code <= 0x44f) || code === 0x401 || code === 0x451
const isSmallCyrillic = (code: number) => code >= 0x430

function cyrillic(): Cost {
  const bits = new Map([...CYRILLIC].map((letter, i) => [letter, 3 + i / 6]))
  return (code, before) => {
    if (!isCyrillic(code)) return '№«»–—'.includes(chr(code)) ? 12 : 18
    const letter = bits.get(chr(code).toLowerCase())!
    return letter + (isAsciiLetter(before) ? MIXED_BITS : 0) + caseCost(code, before)
  }
}

/** Words begin with a capital letter or not, and a small letter is hardly followed by a capital one. */
function caseCost(code: number, before: number): number {
  const isInWord = isCyrillic(before) || isAsciiLetter(before)
  if (isSmallCyrillic(code)) return isInWord ? 0.3 : 1.3
  if (!isInWord) return 1
  return isSmallCyrillic(before) || isSmallAscii(before) ? 8 : 1.5
}

function latin(): Cost {
  const bits = new Map<number, number>()
  for (const [letters, cost] of LATIN) for (const letter of letters) bits.set(letter.codePointAt(0)!, cost)
  return (code, before) => {
    const cost = bits.get(code) ?? 19
    const isCapital = chr(code).toLowerCase() !== chr(code)
    const isOdd = isCapital && before >= 0x61 && chr(before).toUpperCase() !== chr(before)
    return cost + (before >= 0x80 ? 5 : 0) + (isOdd ? 7 : 0)
  }
}

const LATIN: readonly (readonly [string, number])[] = [
  ['éäöüßèàçñáíóúãêôå', 8],
  ['âîûùëïìòæøœõýð', 10],
  ['ÄÖÜÉÁÅØÓÚÍÑÇÀÈÊ', 10],
  ['ÂÎÔÛËÏÆŒÃÕÝÙÌÒ°ºª', 12],
  ['–—’‘“”«»©®§·²³½´€¿¡£±×', 14],
]

/** Letters of Russian, the commonest first; those of its neighbours are left to `--encoding`. */
const CYRILLIC = 'оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ'

/** The characters of which the first byte is from `first` to `last`, and the second from `second` on. */
function rows(encoding: Encoding, first: number, last: number, second: number): ReadonlySet<string> {
  const bytes: number[] = []
  for (let lead = first; lead <= last; lead++) for (let trail = second; trail <= 0xfe; trail++) bytes.push(lead, trail)
  return new Set(decoderOf(encoding)(Uint8Array.from(bytes)))
}

/** Each with the half of its characters that its makers found to be the commoner one. */
function models(): Model[] {
  return [
    { encoding: 'gbk', cost: chinese(SIMPLIFIED, rows('gbk', 0xb0, 0xd7, 0xa1)) },
    { encoding: 'big5', cost: chinese(TRADITIONAL, rows('big5', 0xa4, 0xc6, 0x40)) },
    { encoding: 'shift_jis', cost: japanese(rows('shift_jis', 0x88, 0x98, 0x40)) },
    { encoding: 'euc-kr', cost: korean(rows('euc-kr', 0xb0, 0xc8, 0xa1)) },
    { encoding: 'windows-1251', cost: cyrillic() },
    { encoding: 'cp866', cost: cyrillic() },
    { encoding: 'cp437', cost: latin() },
    { encoding: 'cp850', cost: latin() },
    { encoding: 'windows-1252', cost: latin() },
  ]
}

/** Characters that are common in Chinese, and in names of files in particular. */
const SIMPLIFIED =
  '的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里' +
  '用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实' +
  '日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政' +
  '美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员' +
  '解水名真论处走义各入几口认条平系气题活更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计' +
  '管期市直德资命山金指克许统区保至队形社便空决治展马科司五基书非则听白界达光放强即像难且权思王象完设式' +
  '色路记南品住告类求据程北边张该交规万取格望术领共确传师观清今切院让识候带导争运夹图片照视频音乐档料载' +
  '备份简历课试答案附副终版项划申请票单录库软装配置源码测纸稿改修订甲乙丙丁周季财审批销售采购约议纪培训' +
  '考绩'

/** The same as written in Taiwan and Hong Kong. */
const TRADITIONAL =
  '的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡' +
  '用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實' +
  '日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政' +
  '美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員' +
  '解水名真論處走義各入幾口認條平系氣題活更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計' +
  '管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基書非則聽白界達光放強即像難且權思王象完設式' +
  '色路記南品住告類求據程北邊張該交規萬取格望術領共確傳師觀清今切院讓識候帶導爭運夾圖片照影音樂檔料載備' +
  '份履歷課試答案附副終版專畫申請票單錄庫軟裝配置源碼測稿改修訂週季財審批銷售採購議紀培訓考績薪台灣臺'

/** Characters other than kana that are common in Japanese names of files. */
const JAPANESE =
  '日本語新規文書資料写真画像動音楽会議事録報告見積請求契約仕様設計図面一覧表予定年月度分最終版修正確認' +
  '用提出済名前住所管理費明細部署社内外顧客商品売上在庫人総務経営業開発技術試験結果参考説手順操作保存履' +
  '歴使方法旅行家族東京大阪都県市区町村電話番号入力変更追加削除成中国際学校生先教育課題問答申込案連絡通' +
  '知週春夏秋冬朝夜時間場地子供女男友達誕祝祭花火山川海空港駅店食水金土木小高株式有限支長担当者必要重共' +
  '個情主決算税給与源泉労働険健康診断検査工現納注受送付回平令和昭元第次初期未来自車私習数値比較'

/** Common syllables. */
const KOREAN =
  '가각간갈감강개거건검것게격견결경계고곡공과관광교구국군권귀규그글금급기길김나날남내너노논누는늘능니다' +
  '단달담답당대더데도동되된두드등디라래량러레력련로록료류르리린림마만말매면명모목무문물미민바박반받발방' +
  '배백번법변별보복본부분북비사산삼상새색생서석선설성세소속송수순스습승시식신실심아안알압애야양어언업에' +
  '여역연열영예오온올와완외요용우운원월위유육으은을음응의이익인일임입자작장재저적전절점접정제조종주준중' +
  '증지직진집차참창채책처천철첫청체초총최추출충취층치친침칭카코크키타태터테토통투트특파판패편평포표품프' +
  '피필하학한할함합항해행향허현형호홍화확환활회획효후훈휴'

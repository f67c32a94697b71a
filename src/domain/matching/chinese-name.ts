// A person's name in Chinese characters: the surname, of two characters where it is a compound one, and the given name.

/** The compound surnames that are met. */
const COMPOUND = new Set(
  '欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 令狐'.split(
    ' ',
  ),
);

export interface ChineseName {
  readonly surname: string;
  readonly given: string;
}

/** Undefined where it is not written in Chinese characters alone. Dots between the parts of a name don't count. */
export function chineseNameOf(text: string): ChineseName | undefined {
  const plain = text.normalize('NFKC').replace(/[\s\p{P}\p{S}]+/gu, '');
  if (!/^\p{Script=Han}{2,}$/u.test(plain)) return undefined;
  const characters = [...plain];
  const length = characters.length > 2 && COMPOUND.has(characters.slice(0, 2).join('')) ? 2 : 1;
  return { surname: characters.slice(0, length).join(''), given: characters.slice(length).join('') };
}

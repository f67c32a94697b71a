// Chinese names from a seed, about as often as they are met: surnames by roughly their share of the population, given names of two
// characters mostly, their characters by how common they are. Among 100,000 people there are some twenty thousand given names.
import { pinyin } from 'pinyin-pro';
import { type Draw, Weighted } from './draw.ts';

export interface ChineseName {
  readonly surname: string;
  readonly given: string;
}

/** About how many of 10,000 people; of the rare ones rather too many than none. */
const SURNAMES = `王 725 李 719 张 683 刘 538 陈 453 杨 308 赵 229 黄 223 周 212 吴 205 徐 167 孙 154 胡 129 朱 126 高 121 林 118 何 117 郭 115 马 104
罗 100 梁 96 宋 92 郑 90 谢 84 韩 80 唐 76 冯 72 于 70 董 68 萧 60 程 58 曹 57 袁 55 邓 54 许 53 傅 50 沈 48 曾 47 彭 46 吕 45 苏 44 卢 43 蒋 42 蔡 41
贾 40 丁 39 魏 38 薛 37 叶 36 阎 35 余 34 潘 33 杜 32 戴 31 夏 30 钟 29 汪 28 田 27 任 26 姜 25 范 24 方 23 石 22 姚 21 谭 20 廖 20 邹 19 熊 19 金 18
陆 18 郝 17 孔 17 白 16 崔 16 康 15 毛 15 邱 14 秦 14 江 13 史 13 顾 12 侯 12 邵 11 孟 11 龙 10 万 10 段 9 雷 9 钱 8 汤 8 尹 7 黎 7 易 6 常 6 武 5
乔 5 贺 4 赖 4 龚 3 文 3 欧阳 9 上官 2 司马 1 诸葛 1`;

/** The most common first. */
const GIVEN_CHARACTERS = `伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂华玉文建国志梅红春海燕波辉鹏飞龙云玲林浩宇欣怡子涵梓轩雨佳思琪晨
博俊嘉豪诗雅婷慧颖倩雪莹萍琳丹凤兰珍荣彬斌健峰亮东生成永福昌德庆忠义仁安宁康乐天一凡依然若曦可馨雯昊泽睿皓瑞逸航铭毅炜焕朗清瑶
岚薇蓉菲茜璐瑾萱芸苗莉香月婉宏达江新光利民全胜学祥才发武松立世广兴良顺信岩森乾坤`;
/** People with one given character. */
const SINGLE_SHARE = 0.14;

const surnames = new Weighted(
  SURNAMES.split(/\s+/).flatMap((word, index, words): [string, number][] => (index % 2 === 0 ? [[word, Number(words[index + 1])]] : [])),
);
const characters = new Weighted(
  [...new Set(GIVEN_CHARACTERS.replace(/\s/g, ''))].map((character, rank): [string, number] => [character, 1 / (rank + 12)]),
);

export function drawName(draw: Draw): ChineseName {
  const first = characters.draw(draw);
  const single = draw.share() < SINGLE_SHARE;
  return { surname: surnames.draw(draw), given: single ? first : first + characters.draw(draw) };
}

export function fullName({ surname, given }: ChineseName): string {
  return surname + given;
}

/** `zhangweimin`, as one types it. */
export function pinyinOf(name: ChineseName): string {
  return syllablesOf(name).join('');
}

/** `zwm` */
export function initialsOf(name: ChineseName): string {
  return syllablesOf(name)
    .map((syllable) => syllable[0])
    .join('');
}

function syllablesOf(name: ChineseName): string[] {
  return pinyin(fullName(name), { type: 'array', toneType: 'none', surname: 'head', v: true }).map((syllable) => syllable.replace('ü', 'v'));
}

// People with a label each, entered twice or three times as a bank's branches do: with slips, names in pinyin, parts changed about or left
// out, moved and renumbered. Beside them those that are easily taken for one: twins, a father and his son, namesakes.
import type { Party, PartyDocument } from '../../src/domain/matching/party.ts';
import { withReadings } from '../../src/projections/engine/name-readings.ts';
import { drawName, fullName, pinyinOf } from './chinese-names.ts';
import type { Draw } from './draw.ts';
import { drawPerson } from './identity.ts';

export interface Labelled {
  readonly label: string;
  readonly party: Party;
}

interface Person {
  readonly name: string;
  /** In Latin letters: pinyin of a Chinese name, or the nickname where there is one. */
  readonly otherName: string;
  readonly birthDate: string;
  readonly phone: string;
  readonly eMail: string;
  readonly address: string;
  readonly document: PartyDocument;
}

const LATIN_GIVEN =
  'James Robert William Michael Elizabeth Jennifer Margaret Katherine Thomas Daniel Matthew Susan Jessica Anthony Patricia Rebecca Joseph Steven Laura Emily Hannah Oliver Lucas Peter Martin Jana Tereza Petr Ivan Sofia Noah Ethan Chloe Grace Harry Jack Isaac Aaron Megan Alicia Bruno Diego Carla Elena'.split(
    ' ',
  );
const LATIN_SURNAME =
  'Smith Johnson Williams Brown Jones Garcia Miller Davis Wilson Anderson Taylor Thomas Moore Martin Jackson Thompson White Lopez Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Novak Svoboda Dvorak Kowalski Nguyen Hill Green Adams Baker Nelson Carter Mitchell Campbell Webb Ryan Kelly Clarke Reid Matthews Dolan Fraser Bishop Hopkins Whiteley Morrison Sullivan Barker'.split(
    ' ',
  );
const NICKNAMES: Readonly<Record<string, string>> = {
  James: 'Jim',
  Robert: 'Bob',
  William: 'Bill',
  Michael: 'Mike',
  Elizabeth: 'Liz',
  Jennifer: 'Jenny',
  Margaret: 'Peggy',
  Katherine: 'Kate',
  Thomas: 'Tom',
  Daniel: 'Dan',
  Matthew: 'Matt',
  Susan: 'Sue',
  Jessica: 'Jess',
  Anthony: 'Tony',
  Patricia: 'Trish',
  Rebecca: 'Becky',
  Joseph: 'Joe',
  Steven: 'Steve',
  Peter: 'Pete',
};
const STREETS = 'Church Station Victoria Albert Mill Bridge Park Queens Kings Chapel Windsor Grange Meadow Orchard Castle Ridge Harbour Elm'.split(
  ' ',
);
const TOWNS = 'Ashford Barnet Carlow Denham Elstree Fairview Granby Horsham Ironbridge Kelso Lynton Marlow Norwood Oakham Penrith'.split(' ');
const ROADS = '南京路 中山路 人民路 解放路 建设路 和平路 长江路 黄河路 延安路 北京路 淮海路 湖滨路 学院路 科技路 花园路'.split(' ');
const CITIES = '上海市黄浦区 北京市朝阳区 广州市天河区 深圳市南山区 杭州市西湖区 成都市锦江区 武汉市江汉区 西安市雁塔区'.split(' ');
const DAYS = 365;

export function labelledPeople(draw: Draw, count: number): readonly Labelled[] {
  const found: Labelled[] = [];
  for (let number = 1; number <= count; number += 1) {
    const person = drawn(draw, number);
    const add = (label: string, one: Person, share = 1): void => {
      found.push({ label, party: asParty(one) });
      for (let copy = 0; copy < 2; copy += 1) if (draw.share() < (copy === 0 ? 0.6 : 0.15) * share) found.push({ label, party: entered(draw, one) });
    };
    add(`p${number}`, person);
    // A label of its own each: whoever takes them for one is wrong.
    if (number % 12 === 0) add(`twin${number}`, twinOf(draw, person, number), 0.5);
    if (number % 12 === 4) add(`son${number}`, sonOf(draw, person, number), 0.5);
    if (number % 12 === 8) add(`namesake${number}`, { ...drawn(draw, count * 3 + number), name: person.name, otherName: person.otherName }, 0.5);
  }
  return found;
}

function drawn(draw: Draw, number: number): Person {
  const { identityCard, birthDate, phone } = drawPerson(draw, number);
  const document = { type: 'identity-card', number: identityCard };
  if (number % 2 === 0) {
    const name = drawName(draw);
    const latin = pinyinOf({ surname: name.surname, given: '' });
    const given = pinyinOf({ surname: name.surname, given: name.given }).slice(latin.length);
    return {
      name: fullName(name),
      otherName: `${given} ${latin}`,
      birthDate,
      phone,
      eMail: `${latin}${given}${number % 97}@example.com`,
      address: `${draw.of(CITIES)}${draw.of(ROADS)}${1 + draw.below(900)}号${1 + draw.below(30)}室`,
      document,
    };
  }
  const [given, surname] = [draw.of(LATIN_GIVEN), draw.of(LATIN_SURNAME)];
  return {
    name: `${given} ${surname}`,
    otherName: `${NICKNAMES[given] ?? given[0]} ${surname}`,
    birthDate,
    phone,
    eMail: `${given}.${surname}${number % 97}@example.com`,
    address: `${1 + draw.below(300)} ${draw.of(STREETS)} Street, ${draw.of(TOWNS)} ${2000 + draw.below(3000)}`,
    document,
  };
}

/** Born on one day, at one home, with their parents' phone. */
function twinOf(draw: Draw, person: Person, number: number): Person {
  const { document } = drawn(draw, number + 2_000_000);
  return { ...person, ...renamed(draw, person), eMail: `twin${number}@example.com`, document };
}

/** In his father's house, with his phone; a third have his name too. */
function sonOf(draw: Draw, person: Person, number: number): Person {
  const { document } = drawn(draw, number + 3_000_000);
  const birthDate = Temporal.PlainDate.from(person.birthDate)
    .add({ years: 22 + draw.below(15), days: draw.below(DAYS) })
    .toString();
  const name = draw.share() < 0.33 ? {} : renamed(draw, person);
  return { ...person, ...name, birthDate, eMail: `son${number}@example.com`, document };
}

function renamed(draw: Draw, person: Person): Pick<Person, 'name' | 'otherName'> {
  for (;;) {
    if (/^\p{Script=Han}/u.test(person.name)) {
      const surname = person.name.slice(0, 1);
      const { given } = drawName(draw);
      // As siblings are named: often one character in common.
      const shared = person.name.length > 2 && given.length > 1 && draw.share() < 0.5 ? person.name[1] + given.slice(1) : given;
      const otherName = `${pinyinOf({ surname, given: shared }).slice(pinyinOf({ surname, given: '' }).length)} ${pinyinOf({ surname, given: '' })}`;
      if (surname + shared !== person.name && otherName !== person.otherName) return { name: surname + shared, otherName };
    } else {
      const [old, surname = ''] = person.name.split(' ');
      const given = draw.of(LATIN_GIVEN);
      if (given !== old) return { name: `${given} ${surname}`, otherName: `${NICKNAMES[given] ?? given[0]} ${surname}` };
    }
  }
}

function asParty({ name, birthDate, phone, eMail, address, document }: Person): Party {
  return {
    kind: 'person',
    names: [withReadings(name)],
    birthDates: [birthDate],
    phones: [phone],
    eMails: [eMail],
    addresses: [address],
    documents: [document],
  };
}

/** As another branch entered them. */
function entered(draw: Draw, person: Person): Party {
  const chance = (share: number): boolean => draw.share() < share;
  const isChinese = /^\p{Script=Han}/u.test(person.name);
  let { name } = person;
  if (chance(0.15)) name = person.otherName;
  else if (!isChinese && chance(0.12)) name = name.split(' ').toReversed().join(' ');
  else if (!isChinese && chance(0.25)) name = withSlip(draw, name);
  const birthDate = chance(0.08) ? swapped(person.birthDate) : chance(0.08) ? digitSlip(draw, person.birthDate) : person.birthDate;
  const fresh = drawn(draw, 4_000_000 + draw.below(1_000_000) * 2 + (isChinese ? 0 : 1));
  const moved = chance(0.15);
  const kept = <Value>(value: Value, missing: number): readonly Value[] => (chance(missing) ? [] : [value]);
  return {
    kind: 'person',
    names: [withReadings(name)],
    birthDates: kept(birthDate, 0.1),
    phones: kept(chance(0.25) ? fresh.phone : person.phone, 0.15),
    eMails: kept(chance(0.2) ? fresh.eMail : person.eMail, 0.5),
    addresses: kept(moved ? fresh.address : chance(0.3) ? withSlip(draw, person.address) : person.address, 0.2),
    documents: kept(chance(0.1) ? { ...person.document, number: digitSlip(draw, person.document.number) } : person.document, 0.6),
  };
}

function withSlip(draw: Draw, text: string): string {
  const at = 1 + draw.below(text.length - 2);
  switch (draw.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return `${text.slice(0, at)}${text[at + 1]}${text[at]}${text.slice(at + 2)}`;
    case 2:
      return `${text.slice(0, at)}${text[at]}${text.slice(at)}`;
    default:
      return `${text.slice(0, at)}${draw.of([...'aeinorst'])}${text.slice(at + 1)}`;
  }
}

function digitSlip(draw: Draw, text: string): string {
  const at = text.length - 1 - draw.below(4);
  return /\d/.test(text[at] ?? '') ? text.slice(0, at) + ((Number(text[at]) + 1 + draw.below(8)) % 10) + text.slice(at + 1) : text;
}

function swapped(date: string): string {
  const [year, month, day] = date.split('-');
  return Number(day) <= 12 ? `${year}-${day}-${month}` : date;
}

// People with a label each from a CSV file, whatever set it is of: its columns are known by the names that such sets give them.
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import type { Party } from '../../src/domain/matching/party.ts';
import { withReadings } from '../../src/projections/engine/name-readings.ts';
import type { Labelled } from './labelled-people.ts';

/** By what is in it, the names a column may have; compared without case, spaces, `-` and `_`. */
const COLUMNS = {
  label: ['clusterid', 'cluster', 'entityid', 'truecluster', 'trueid', 'uniqueid', 'personid', 'ncid', 'voterid', 'voterregnum', 'globalid', 'gid'],
  record: ['recid', 'recordid', 'id'],
  given: ['givenname', 'firstname', 'fname', 'forename', 'given'],
  middle: ['middlename', 'midlname', 'mname', 'middle'],
  surname: ['surname', 'lastname', 'lname', 'familyname', 'family'],
  name: ['name', 'fullname'],
  birth: ['dateofbirth', 'dob', 'birthdate', 'birthday'],
  birthYear: ['birthyear', 'yearofbirth', 'yob', 'birthage'],
  number: ['streetnumber', 'housenumber', 'housenum', 'streetno'],
  street: ['address1', 'address', 'streetaddress', 'streetname', 'street', 'resstreetaddress', 'addr1'],
  street2: ['address2', 'addr2'],
  town: ['suburb', 'city', 'town', 'rescitydesc', 'placeofbirth', 'birthplace'],
  postcode: ['postcode', 'postalcode', 'zip', 'zipcode', 'zipnum', 'pcode', 'postcodefake'],
  state: ['state', 'statecd', 'county', 'countydesc'],
  social: ['socsecid', 'ssn', 'socialsecurity', 'socialsecuritynumber', 'nationalid'],
  phone: ['phone', 'phonenumber', 'telephone', 'fullphonenumber', 'mobile'],
  eMail: ['email', 'emailaddress', 'mail'],
} as const;
type Column = keyof typeof COLUMNS;

/** What the reader of a measurement must know to bring a file of their own. */
export const FILE_NOTE =
  'the label is `cluster_id` (or entity_id, unique_id, ncid …), else the number in `rec_id` as FEBRL has it (rec-12-org, rec-12-dup-0); known columns are given_name, middle_name, surname or name, date_of_birth or birth_year, street_number, address_1, address_2, suburb, postcode, state, soc_sec_id, phone, email';

export async function labelledFile(path: string): Promise<readonly Labelled[]> {
  const source = createReadStream(path);
  const text = path.endsWith('.gz') ? source.pipe(createGunzip()) : source;
  const parser = parse({ columns: (header: string[]) => header.map(plain), bom: true, trim: true, relax_column_count: true, skip_empty_lines: true });
  const found: Labelled[] = [];
  for await (const row of text.pipe(parser) as AsyncIterable<Readonly<Record<string, string>>>) found.push(labelled(row, found.length + 1));
  if (found.length === 0) throw new Error(`${path} holds no record`);
  return found;
}

function labelled(row: Readonly<Record<string, string>>, line: number): Labelled {
  const of = (column: Column): string => {
    for (const name of COLUMNS[column]) {
      const value = row[name]?.trim();
      if (value !== undefined && value !== '' && !/^(?:na|nan|null|none)$/i.test(value)) return value;
    }
    return '';
  };
  const label = of('label') || (/^rec-(\d+)/.exec(of('record'))?.[1] ?? of('record'));
  if (label === '') throw new Error(`record ${line} has no label: ${FILE_NOTE}`);
  const name = of('name') || [of('given'), of('middle'), of('surname')].filter((part) => part !== '').join(' ');
  const address = [of('number'), of('street'), of('street2'), of('town'), of('postcode'), of('state')].filter((part) => part !== '').join(' ');
  const birth = birthOf(of('birth')) || (/^\d{4}$/.test(of('birthYear')) ? of('birthYear') : '');
  const listed = (value: string): readonly string[] => (value === '' ? [] : [value]);
  const party: Party = {
    kind: 'person',
    names: listed(name).map(withReadings),
    birthDates: listed(birth),
    phones: listed(of('phone')),
    eMails: listed(of('eMail')),
    addresses: listed(address),
    documents: listed(of('social')).map((number) => ({ type: 'social-security', number })),
  };
  return { label, party };
}

function plain(header: string): string {
  return header.toLowerCase().replace(/[\s_-]+/g, '');
}

/** `19620411`, `1962-04-11`, `04/11/1962` and `1962` as `YYYY-MM-DD` or `YYYY`; no more is asked of it than its shape, slips included. */
function birthOf(text: string): string {
  const iso = /^(\d{4})-?(\d\d)-?(\d\d)(?:\D.*)?$/.exec(text);
  if (iso) return `${iso[1]}-${iso[2]}-${iso[3]}`;
  const american = /^(\d\d?)[/.](\d\d?)[/.](\d{4})$/.exec(text);
  if (american) return `${american[3]}-${american[1]?.padStart(2, '0')}-${american[2]?.padStart(2, '0')}`;
  return /^\d{4}$/.test(text) ? text : '';
}

// A folder in the form of the PKDD'99 data set, with a handful of rows that bring up what its documentation warns of.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const transactionHeader = '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"';

/** Whole, line by line, as the originals write them. */
export const berkaFiles = {
  'account.asc': ['"account_id";"district_id";"frequency";"date"', '1;2;"POPLATEK MESICNE";930101', '2;1;"POPLATEK PO OBRATU";970707'],
  'client.asc': ['"client_id";"birth_number";"district_id"', '1;"706213";3', '2;"450204";1', '3;"450204";1'],
  'disp.asc': ['"disp_id";"client_id";"account_id";"type"', '11;1;1;"OWNER"', '12;2;2;"OWNER"', '13;2;1;"DISPONENT"', '14;3;2;"DISPONENT"'],
  'district.asc': [
    'A1;A2;A3;A4;A12;A15',
    '1;"Hl.m. Praha";"Prague";1204953;0.29;85677',
    '2;"Benesov";"central Bohemia";88884;?;?',
    '3;"Beroun";"central Bohemia";75232;1.95;2824',
  ],
  'loan.asc': ['"loan_id";"account_id";"date";"amount";"duration";"payments";"status"', '5314;1;930705;96396;12;8033.00;"B"'],
  'card.asc': ['"card_id";"disp_id";"type";"issued"', '1005;11;"classic";931107 00:00:00'],
  'order.asc': [
    '"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"',
    '29401;1;"YZ";"87144583";2452.00;"SIPO"',
    '29402;2;"ST";"89597016";3372.70;" "',
  ],
  'trans_19930101_19940330.asc': [
    transactionHeader,
    '20;1;930101;"PRIJEM";"VKLAD";700.00;700.00;"";;',
    '19;1;930101;"PRIJEM";"PREVOD Z UCTU";0.30;700.30;"DUCHOD";"AB";"123"',
    '21;1;930630;"VYBER";"VYBER";800.10;-99.80;" ";;"0"',
  ],
  'trans_loan_accounts.csv': [
    `${transactionHeader.replaceAll('"', '').replaceAll(';', ',')},precision`,
    '20,1,930101,PRIJEM,VKLAD,700.00,700.00,,,,exact',
    '21,1,930630,VYDAJ,VYBER,800,-100,,,0,rounded',
    '22,1,970630,VYDAJ,VYBER KARTOU,15,-115,SLUZBY,,,rounded',
  ],
} as const satisfies Record<string, readonly string[]>;
export type BerkaFile = keyof typeof berkaFiles;

/** On disk, with some files as given (null: not there), all of them gzip where wanted. The caller removes it. */
export function writeBerka(over: Partial<Record<BerkaFile, readonly string[] | null>> = {}, { gzip = false } = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'shiji-berka-'));
  for (const [name, lines] of Object.entries({ ...berkaFiles, ...over })) {
    if (lines === null) continue;
    const text = `${lines.join('\r\n')}\r\n`;
    writeFileSync(join(folder, gzip ? `${name}.gz` : name), gzip ? gzipSync(text) : text);
  }
  return folder;
}

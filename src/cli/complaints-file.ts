// The Bureau's CSV export as rows of an import; what a row becomes is in complaints.ts.
import { stat } from 'node:fs/promises';
import { codeOf } from '../postgres/sqlstate.ts';
import { StartError } from '../start-error.ts';
import { complaintColumns, complaintLine } from './complaints.ts';
import { CsvFile } from './csv-file.ts';
import type { ImportRow, ImportSource } from './upload.ts';

/** @throws StartError where there is no such file */
export async function complaintsFile(path: string): Promise<ImportSource> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw new StartError(codeOf(cause) === 'ENOENT' ? `There is no file ${path}.` : `${path} can't be read.`, { cause });
  });
  const file = new CsvFile(path, { columns: complaintColumns, delimiter: ',', called: 'The file', mustBe: "the Bureau's CSV export" });
  return { bytes: size, bytesRead: () => file.bytesRead, rows: () => complaintsOf(file) };
}

async function* complaintsOf(file: CsvFile<(typeof complaintColumns)[number]>): AsyncGenerator<ImportRow> {
  for await (const { record, line } of file.rows()) {
    try {
      yield { kind: 'complaints', line, entries: [complaintLine(record as Readonly<Record<string, string>>)] };
    } catch (error) {
      yield { kind: 'complaints', line, entries: [], problem: error instanceof Error ? error.message : String(error) };
    }
  }
}

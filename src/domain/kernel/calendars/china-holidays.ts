// China's public holidays and make-up working days 调休, 2018 to 2026, as the State Council's notices set them (2020 with
// the Spring Festival extension of 2020-01-27). Generated from NateScarlet/holiday-cn (MIT, see NOTICE.md): 315 dates.
// Dates stand under their own year. A year's last days are settled only by the next year's notice: the notice for 2027
// may still change the end of December 2026.
import type { CalendarException } from '../business-calendar.ts';

// Per year: name, days off (single dates or first..last), make-up working days; months and days.
const notices: Readonly<Record<string, readonly (readonly [name: string, off: string, working: string])[]>> = {
  2018: [
    ['元旦', '01-01 12-30..12-31', '12-29'],
    ['春节', '02-15..02-21', '02-11 02-24'],
    ['清明节', '04-05..04-07', '04-08'],
    ['劳动节', '04-29..05-01', '04-28'],
    ['端午节', '06-18', ''],
    ['中秋节', '09-24', ''],
    ['国庆节', '10-01..10-07', '09-29 09-30'],
  ],
  2019: [
    ['元旦', '01-01', ''],
    ['春节', '02-04..02-10', '02-02 02-03'],
    ['清明节', '04-05', ''],
    ['劳动节', '05-01..05-04', '04-28 05-05'],
    ['端午节', '06-07', ''],
    ['中秋节', '09-13', ''],
    ['国庆节', '10-01..10-07', '09-29 10-12'],
  ],
  2020: [
    ['元旦', '01-01', ''],
    ['春节', '01-24..02-02', '01-19 02-03'],
    ['清明节', '04-04..04-06', ''],
    ['劳动节', '05-01..05-05', '04-26 05-09'],
    ['端午节', '06-25..06-27', '06-28'],
    ['国庆节、中秋节', '10-01..10-08', '09-27 10-10'],
  ],
  2021: [
    ['元旦', '01-01..01-03', ''],
    ['春节', '02-11..02-17', '02-07 02-20'],
    ['清明节', '04-03..04-05', ''],
    ['劳动节', '05-01..05-05', '04-25 05-08'],
    ['端午节', '06-12..06-14', ''],
    ['中秋节', '09-19..09-21', '09-18'],
    ['国庆节', '10-01..10-07', '09-26 10-09'],
  ],
  2022: [
    ['元旦', '01-01..01-03 12-31', ''],
    ['春节', '01-31..02-06', '01-29 01-30'],
    ['清明节', '04-03..04-05', '04-02'],
    ['劳动节', '04-30..05-04', '04-24 05-07'],
    ['端午节', '06-03..06-05', ''],
    ['中秋节', '09-10..09-12', ''],
    ['国庆节', '10-01..10-07', '10-08 10-09'],
  ],
  2023: [
    ['元旦', '01-01..01-02', ''],
    ['春节', '01-21..01-27', '01-28 01-29'],
    ['清明节', '04-05', ''],
    ['劳动节', '04-29..05-03', '04-23 05-06'],
    ['端午节', '06-22..06-24', '06-25'],
    ['中秋节、国庆节', '09-29..10-06', '10-07 10-08'],
  ],
  2024: [
    ['元旦', '01-01', ''],
    ['春节', '02-10..02-17', '02-04 02-18'],
    ['清明节', '04-04..04-06', '04-07'],
    ['劳动节', '05-01..05-05', '04-28 05-11'],
    ['端午节', '06-10', ''],
    ['中秋节', '09-15..09-17', '09-14'],
    ['国庆节', '10-01..10-07', '09-29 10-12'],
  ],
  2025: [
    ['元旦', '01-01', ''],
    ['春节', '01-28..02-04', '01-26 02-08'],
    ['清明节', '04-04..04-06', ''],
    ['劳动节', '05-01..05-05', '04-27'],
    ['端午节', '05-31..06-02', ''],
    ['国庆节、中秋节', '10-01..10-08', '09-28 10-11'],
  ],
  2026: [
    ['元旦', '01-01..01-03', '01-04'],
    ['春节', '02-15..02-23', '02-14 02-28'],
    ['清明节', '04-04..04-06', ''],
    ['劳动节', '05-01..05-05', '05-09'],
    ['端午节', '06-19..06-21', ''],
    ['国庆节', '10-01..10-07', '09-20 10-10'],
    ['中秋节', '09-25..09-27', ''],
  ],
};

/** Days off and make-up working days by the year of their date. */
export const chinaHolidays: Readonly<Record<string, readonly CalendarException[]>> = Object.fromEntries(
  Object.entries(notices).map(([year, names]) => [
    year,
    names.flatMap(([name, off, working]) => [
      ...datesIn(year, off).map((date) => ({ date, name, kind: 'off' as const })),
      ...datesIn(year, working).map((date) => ({ date, name, kind: 'working' as const })),
    ]),
  ]),
);

/** The years whose notice is in the table. */
export const chinaHolidayYears: readonly number[] = Object.keys(notices).map(Number);

function datesIn(year: string, spans: string): string[] {
  return spans
    .split(' ')
    .filter((span) => span !== '')
    .flatMap((span) => {
      const [first = '', last = first] = span.split('..');
      const dates = [];
      const end = Temporal.PlainDate.from(`${year}-${last}`);
      for (let date = Temporal.PlainDate.from(`${year}-${first}`); Temporal.PlainDate.compare(date, end) <= 0; date = date.add({ days: 1 })) {
        dates.push(date.toString());
      }
      return dates;
    });
}

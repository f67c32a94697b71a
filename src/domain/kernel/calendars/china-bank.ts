// The calendar that the bank starts with. Its hours are a default, no law: a bank publishes its own as a new version.
import { BusinessCalendar } from '../business-calendar.ts';
import { chinaHolidays, chinaHolidayYears } from './china-holidays.ts';

const officeHours = [
  { from: '09:00', to: '12:00' },
  { from: '13:30', to: '17:30' },
];

/** Monday to Friday 09:00–12:00 and 13:30–17:30 (7 h) in Shanghai, China's public holidays, make-up days as Mondays. */
export const chinaBankCalendar = BusinessCalendar.parse({
  id: 'cn-bank',
  version: 1,
  zone: 'Asia/Shanghai',
  weekly: { 1: officeHours, 2: officeHours, 3: officeHours, 4: officeHours, 5: officeHours, 6: [], 7: [] },
  makeUpWeekday: 1,
  exceptions: chinaHolidays,
  yearsPublished: chinaHolidayYears,
});

const calendars: readonly BusinessCalendar[] = [chinaBankCalendar];

/** The built-in calendar of that id and version, undefined if there is none. Always the same object, so its tables stay warm. */
export function calendarAt(id: string, version: number): BusinessCalendar | undefined {
  return calendars.find((calendar) => calendar.id === id && calendar.version === version);
}

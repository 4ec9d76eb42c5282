import { describe, expect, it } from 'vitest';
import { withDefaults } from '@/shared/form';
import { validate } from '@/shared/form/validate';
import { i18n } from '@/shared/i18n';
import { fromForm, scheduleWords, toForm, type Window, windowSchema } from './schema';

const { t } = i18n;
const schema = windowSchema(t, ['modbus'], undefined);

const plan = (more: Partial<Window>): Window => ({
  id: 'w1',
  version: 1,
  name: 'Sunday updates',
  description: '',
  reason: 'PLC firmware',
  timeZone: 'Europe/Istanbul',
  schedule: { kind: 'weekly', days: ['sun'], at: '02:00', durationMinutes: 120 },
  targets: { labels: { site: 'izmir' }, type: 'modbus' },
  // biome-ignore lint/suspicious/noThenProperty: the API's word
  then: 'resumeAndStart',
  enabled: true,
  createdAt: '2026-11-22T09:00:00Z',
  updatedAt: '2026-11-22T09:00:00Z',
  state: { active: null, next: null, suspended: 0 },
  ...more,
});

const schedules: [Window['schedule'], string][] = [
  [
    { kind: 'once', from: '2026-12-01T22:00', to: '2026-12-02T03:00' },
    'From 2026-12-01 22:00 to 2026-12-02 03:00',
  ],
  [{ kind: 'daily', at: '02:00', durationMinutes: 30 }, 'Every day at 02:00, for 30 min'],
  [
    { kind: 'weekly', days: ['mon', 'thu'], at: '22:00', durationMinutes: 480 },
    'Every Mon, Thu at 22:00, for 480 min',
  ],
  [
    { kind: 'monthly', dayOfMonth: 31, at: '00:00', durationMinutes: 60 },
    'Every month on day 31 at 00:00, for 60 min',
  ],
  [
    { kind: 'monthly', week: 'second', day: 'tue', at: '03:00', durationMinutes: 60 },
    'Every month on the second Tue at 03:00, for 60 min',
  ],
];

describe('a maintenance window', () => {
  it.each(schedules)('goes through its form unchanged: %j', (schedule, words) => {
    const window = plan({ schedule });
    const { schedule: sent, targets } = fromForm(toForm(window));
    expect(sent).toEqual(schedule);
    expect(targets).toEqual(window.targets);
    expect(scheduleWords(schedule, t)).toBe(words);
    const filled = withDefaults(schema, toForm(window));
    expect(validate(schema, filled, t, { placeholders: false })).toEqual([]);
  });

  it('is for all connections only when that was said', () => {
    const all = plan({ targets: { all: true } });
    expect(fromForm(toForm(all)).targets).toEqual({ all: true });
    const value = toForm(plan({}));
    expect(fromForm({ ...value, targets: { all: false, type: 'modbus' } }).targets).toEqual({
      type: 'modbus',
    });
  });

  it('is not sent without its times', () => {
    const value = withDefaults(schema, { name: 'x', reason: 'y', schedule: { kind: 'weekly' } });
    const pointers = validate(schema, value, t, { placeholders: false }).map(
      ({ pointer }) => pointer,
    );
    expect(pointers).toEqual(
      expect.arrayContaining(['/schedule/days', '/schedule/at', '/schedule/durationMinutes']),
    );
  });
});

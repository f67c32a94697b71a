import { describe, expect, it } from 'vitest';
import { contactMask, isMasked, type MaskKind, masked } from '../../src/domain/customer/masks.ts';

describe('a mask', () => {
  const cases: readonly [MaskKind, string, string | null][] = [
    ['name', '王小明', '王*'],
    ['name', 'John Smith', 'J*'],
    ['name', '𠮷野家', '𠮷*'],
    ['name', '王', '*'],
    ['phone', '13812345678', '138****5678'],
    ['phone', '+8613812345678', '+86138****5678'],
    ['phone', '+420123456789', '+42****6789'],
    ['phone', '12345', '****'],
    ['document', '11010519491231002X', '110***********002X'],
    ['document', 'E12345678', '****5678'],
    ['document', 'E1234', '****'],
    ['e-mail', 'wang@example.com', 'w***@example.com'],
    ['e-mail', 'no address', '***'],
    ['address', '上海市浦东新区世纪大道100号', '上海市浦东新区***'],
    ['address', '苏州市人民路1号', '苏州市***'],
    ['address', 'Vinohradska 12, Praha 2', 'Vinohradska***'],
    ['address', '12 Somewhere', '***'],
    ['number', '6222020200112233445', '622202*********3445'],
    ['number', '622202******1234', '622202******1234'],
    ['number', '12345678', '****5678'],
    ['number', '1234', '****'],
    ['wechat', 'wang_xm', 'w***'],
    ['birth-date', '1949-12-31', '1949-**-**'],
    ['hidden', 'anything', null],
  ];
  it.each(cases)('of a %s %s leaves %s', (kind, value, left) => {
    expect(masked(kind, value)).toBe(left);
  });

  it('never gives a value back whole, however short', () => {
    for (const [kind, value] of cases) {
      if (value.includes('*')) continue;
      for (let length = 1; length <= value.length; length += 1) expect(masked(kind, value.slice(0, length))).not.toBe(value.slice(0, length));
    }
  });

  it('is for operations and the call centre', () => {
    expect(['rm', 'teller', 'agent', 'risk', 'auditor', 'operations'].filter(isMasked)).toStrictEqual(['agent', 'operations']);
  });

  it('of an unknown kind of contact hides it', () => {
    expect(contactMask('pigeon')).toBe('hidden');
  });
});

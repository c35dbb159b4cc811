/**
 * Gives the same number in the form in which V8 keeps integers of up to 31 bits, whatever form it came in. What is read from a Float64Array
 * comes as a double, and a loop, or a field of an object, that has once met a double is compiled anew for doubles, and slower, for good.
 *
 * @param value an integer that is not negative.
 */
export function smallInteger(value: number): number {
  return value <= 0x7fffffff ? value | 0 : value
}

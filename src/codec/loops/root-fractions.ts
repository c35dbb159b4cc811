/**
 * The first 32 bits of the fractional parts of roots of the first primes: where SHA-2 has its constants from (FIPS 180-4, sections 4.2.2
 * and 5.3.3).
 *
 * @param root exact to twelve digits, for the 64 cube roots and the 8 square roots of SHA-256 to come out right.
 */
export function rootFractions(count: number, root: (prime: number) => number): Int32Array {
  const primes: number[] = []
  for (let number = 2; primes.length < count; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number)
  }
  return Int32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32)
}

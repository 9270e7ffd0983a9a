/** Random damage, as a bad network, a bad disk or a bad person would do it. */

import type { RandomSource } from "./random.ts";

/** `bytes` with one to four bytes changed, put in, taken out or copied; never longer by more than 64. */
export function mutate(bytes: Uint8Array, random: RandomSource): Uint8Array {
  let result = bytes.slice();
  for (let i = random.integer(1, 4); i > 0; i--) {
    const at = random.integer(0, Math.max(0, result.length - 1));
    const rest = result.subarray(at);
    switch (random.integer(0, 4)) {
      case 0:
        result[at] ^= 1 << random.integer(0, 7);
        break;
      case 1:
        result[at] = [0, 1, 0x7f, 0x80, 0xff][random.integer(0, 4)];
        break;
      case 2:
        result = result.slice(0, at);
        break;
      case 3:
        result = new Uint8Array([...result.subarray(0, at), random.integer(0, 255), ...rest]);
        break;
      case 4:
        result = new Uint8Array([
          ...result.subarray(0, at),
          ...rest.subarray(random.integer(1, 9)),
        ]);
        break;
    }
  }
  return result;
}

import { Writer } from "./proto.ts";

/** fsutil's packets: names with what they are, requests for bytes by number, bytes, and the end. */
export const packets = { stat: 0, request: 1, data: 2, finished: 3, error: 4 } as const;

/** Go's os.FileMode bits for what a file is, and the three that Unix keeps elsewhere. */
export const goModes = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  char: 2 ** 21,
  sticky: 2 ** 20,
} as const;

export const packet = (type: number, number = 0): Buffer => new Writer().int(1, type).int(3, number).done();

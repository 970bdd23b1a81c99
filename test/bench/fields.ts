import { buildFields } from "../../src/soap/envelope.ts";

/** What every message says that is signed for a figure; its own, of no reading. */
export const FIELDS = buildFields({
  readerCode: "R1",
  wall: { year: 2026, month: 1, day: 23, hour: 9, minute: 25, second: 57, millisecond: 0 },
  coordX: "430124.45",
  coordY: "4578123.45",
  reading: { plate: "1234BCD", brand: null, model: null, color: null, vehicleType: null, country: "ESP" },
});

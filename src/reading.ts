/** The parts of a date and time as a clock on a wall shows them: no zone. */
export interface WallClock {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
}

export const PROTOCOLS = ["tattile-xml", "tattile-tlv", "lector-vision"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/**
 * Where the capture time comes from: the camera; the camera, in the hour that happens twice (the first is taken); arrival; or
 * the replaced system, which took the camera's wall clock for UTC: its digits go to the police as they are, in no zone.
 */
export const TIME_SOURCES = ["camera", "ambiguous", "arrival", "wall-clock"] as const;
export type TimeSource = (typeof TIME_SOURCES)[number];

/** What a reading says besides its pictures, in the words of the domain; a number that did not parse is null. */
export interface ReadingFacts {
  /** As the camera wrote it, blanks at the ends cut. Personal data: never logged. */
  plate: string;
  deviceName: string | null;
  direction: string | null;
  laneId: number | null;
  laneDescription: string | null;
  ocrScore: number | null;
  country: string | null;
  countryCode: string | null;
  plateMinX: number | null;
  plateMinY: number | null;
  plateMaxX: number | null;
  plateMaxY: number | null;
  charHeight: number | null;
  transitId: string | null;
  brand: string | null;
  model: string | null;
  color: string | null;
  vehicleType: string | null;
}

/** The facts of a reading that says nothing but its plate. */
export const NO_FACTS: Omit<ReadingFacts, "plate"> = {
  deviceName: null,
  direction: null,
  laneId: null,
  laneDescription: null,
  ocrScore: null,
  country: null,
  countryCode: null,
  plateMinX: null,
  plateMinY: null,
  plateMaxX: null,
  plateMaxY: null,
  charHeight: null,
  transitId: null,
  brand: null,
  model: null,
  color: null,
  vehicleType: null,
};

/** One message of a camera, understood. */
export interface CameraReading {
  protocol: Protocol;
  cameraSerial: string;
  facts: ReadingFacts;
  /** Null when the message has no usable time: then the time of arrival counts. */
  wallClock: WallClock | null;
  /** Tags that tattile has no column for, and notes about what could not be used (`IMAGE_CTX`: why it was left out). */
  extra: Readonly<Record<string, string>>;
  /** The message without its pictures, as text. */
  rawText: string;
  /** JPEG bytes; null when the message had none. */
  ocrImage: Uint8Array | null;
  ctxImage: Uint8Array | null;
  /** The camera saw a vehicle but says that it has no plate: counted, never queued. */
  notRead: boolean;
}

/** What a parser makes of one whole message. `reason` is for the operator and holds no plate; `cameraSerial` when it could be found. */
export type ParsedMessage =
  | { kind: "reading"; reading: CameraReading }
  | { kind: "malformed"; reason: string; cameraSerial: string | null };

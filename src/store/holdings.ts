import type { MessageStatus } from "../message.ts";

/** What can be wiped while a service runs. */
export const WIPE_KINDS = ["queue", "readings", "images"] as const;
export type WipeKind = (typeof WIPE_KINDS)[number];

/** Messages of one camera in one state. */
export interface QueueCount {
  cameraId: number;
  status: MessageStatus;
  count: number;
  /** Receipt of the oldest of them. */
  oldestAt: Date;
}

/** What the store holds in all, and what is done to all of it: for totals, wiping and the leaving of a camera. */
export interface Holdings {
  /** Counts all that waits, camera by camera. Reads the whole queue: for an operator's question, not for a loop. */
  countQueue(): Promise<readonly QueueCount[]>;
  /** Every table and how many rows it has, by name. */
  countRows(): Promise<readonly { table: string; rows: number }[]>;
  /** Pictures that readings of these cameras refer to. Looks at every reading. */
  listImagePaths(cameraIds: readonly number[]): Promise<readonly string[]>;
  /** Readings that no message refers to (see `discardUnqueued`), of these cameras or (null) of all. Looks at every reading. */
  countUnqueued(cameraIds: readonly number[] | null): Promise<number>;
  /** Readings that have a picture, but not what is being sent. Looks at every reading. */
  countPictured(): Promise<number>;
  /**
   * Readings forget their pictures, but not what is being sent; at most `limit` of them, behind the id `after`, so that the
   * paths of a long queue need not be held at once. @returns pictures to erase after, and the id of the last reading
   */
  detachImages(
    limit?: number,
    after?: number,
  ): Promise<{ readings: number; imagePaths: readonly string[]; last: number }>;
  /**
   * Erases readings that no message refers to, of one camera or (null) of all, at most `limit`: the replaced system left such,
   * tattile itself never does. @returns pictures to erase after.
   */
  discardUnqueued(
    cameraSerial: string | null,
    limit?: number,
  ): Promise<{ readings: number; imagePaths: readonly string[] }>;
  /** Forgets all lasting counts. @returns how many rows. */
  forgetTallies(): Promise<number>;
  /** Switches a camera off and marks it: it goes with the last of its messages. @throws AppError `not-found` */
  retireCamera(id: number): Promise<void>;
  /** Ids of the cameras so marked. */
  listRetiring(): Promise<readonly number[]>;
  /**
   * Removes the marked cameras of which no message is left, and what the replaced system left of them without a message or
   * delivered already (the sweep of orphans takes its pictures); one that was switched on again loses its mark. @returns serials removed.
   */
  removeRetired(): Promise<readonly string[]>;
}

/** Looking after the store itself; for an operator's question, not for a loop. */
export interface Upkeep {
  /** Looks through everything: damage, references that lead nowhere, counts that do not add up. @returns what is wrong, in words without plates */
  findFaults(): Promise<readonly string[]>;
  /** Pictures that readings refer to, by reading, those after `afterId` first. */
  listPictured(afterId: number, limit: number): Promise<readonly { readingId: number; paths: readonly string[] }[]>;
}

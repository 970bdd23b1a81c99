/** What the far side is known to have done with one POST; a value, never an exception. `detail` is for the operator: no plate. */
export type DeliveryOutcome =
  /** Understood and taken: the reading may be erased. */
  | { kind: "accepted"; returnCode: string }
  /** Understood and refused: DEAD. */
  | { kind: "rejected"; returnCode: string; detail: string }
  /** Never reached it: the endpoint pauses, no attempt is spent. */
  | { kind: "unreachable"; detail: string }
  /** May have reached it: retried; spends an attempt only where others are accepted. */
  | { kind: "unanswered"; detail: string }
  /** Certificate, clock or address: the endpoint pauses until mended, the operator is told. `scope`: whose fault it can only be. */
  | { kind: "misconfigured"; detail: string; scope: "endpoint" | "certificate" };

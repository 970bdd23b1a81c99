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
  /**
   * Certificate, clock or address: the endpoint pauses until mended, the operator is told. `scope`: whose fault it can only
   * be; `endpoint-or-message`: the endpoint's, unless it takes other messages meanwhile (a filter before it that dislikes one).
   */
  | { kind: "misconfigured"; detail: string; scope: "endpoint" | "endpoint-or-message" | "certificate" };

/** The outcome in a message's history, for the operator. A refusal's detail names its code already. */
export function describeOutcome(outcome: DeliveryOutcome): string {
  switch (outcome.kind) {
    case "accepted":
      return `codiRetorn=${outcome.returnCode}`;
    case "rejected":
      return outcome.detail === "" ? `codiRetorn=${outcome.returnCode}` : outcome.detail;
    case "unreachable":
    case "unanswered":
    case "misconfigured":
      return outcome.detail;
  }
}

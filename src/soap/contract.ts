/**
 * The far side's contract as the envelope needs it: from its WSDL where one can be read, else `builtinContract`
 * (reconstructed; unproven, see docs/protocol.md).
 */
export interface ServiceContract {
  targetNamespace: string;
  /** Children namespace-qualified (elementFormDefault). */
  qualified: boolean;
  requestElement: string;
  soapAction: string;
  /** In the order of the schema's sequence. */
  elements: readonly ContractElement[];
}

export interface ContractElement {
  name: string;
  required: boolean;
  minLength: number | null;
  maxLength: number | null;
  /** XSD pattern facet, anchored; null: any. */
  pattern: RegExp | null;
}

/** Text values of one delivery, keyed by the wire's element name; null or absent: left out. Images are given apart. */
export type RequestFields = Readonly<Record<string, string | null>>;

/** What a value broke; never the value of `matricula`. */
export interface FieldProblem {
  field: string;
  problem: string;
}

import { AppError } from "../errors.ts";
import { FAULT_KINDS, type FaultKind } from "./mossos-fault.ts";
import { createRandom } from "./seeded.ts";

/** Where in an exchange the connection breaks. Only `before-body` happens without the message having been read. */
const BREAK_POINTS = ["before-body", "after-body", "mid-answer"] as const;
export type BreakPoint = (typeof BREAK_POINTS)[number];

/** What the police do with a request instead of accepting it. */
export type Answer =
  /** Accept it with this codiRetorn (empty: an empty element); null: a response without one. */
  | { kind: "code"; code: string | null }
  | { kind: "fault"; fault: FaultKind }
  | { kind: "status"; status: number }
  /** An HTML page with 200, as a proxy or a login page gives. */
  | { kind: "html" }
  /** 200 without a body. */
  | { kind: "empty" }
  /** 200 with the first half of an envelope, correctly framed. */
  | { kind: "truncated" }
  /** Never an answer; the connection stays open until the peer gives up. */
  | { kind: "hang" }
  | { kind: "reset"; at: BreakPoint }
  /** Closed in good order, but without an answer. */
  | { kind: "close"; at: BreakPoint }
  /** The ordinary answer; with a delay or as an exception before a wider rule. */
  | { kind: "accept" };

/** The first rule that means a request decides; none: it is accepted. All that is given must hold. */
export interface BehaviourRule {
  answer: Answer;
  /** Waits so long before the answer, ms. */
  delayMs?: number;
  /** True: the message is taken and recorded as accepted though the sender is not told. For at-least-once tests. */
  takes?: boolean;
  /** Only the first so many requests that it would otherwise mean. */
  first?: number;
  /** Only every so-manieth of them, beginning with that one. */
  every?: number;
  /** Only a share of them, 0 to 1, drawn from `seed`. */
  probability?: number;
  seed?: number;
  /** Only these; such a rule cannot break before the body. */
  plates?: readonly string[];
  readerCodes?: readonly string[];
  /** Only before this instant (ISO 8601). */
  until?: string;
}

/** What is known of a request when a rule is asked; null before its body was read. */
export interface RequestFacts {
  plate: string;
  readerCode: string;
}

export interface BehaviourState {
  /** @param phase the head is asked for `before-body` rules only, the body for all others. */
  pick(phase: "head" | "body", facts: RequestFacts | null, now: Date): BehaviourRule | null;
}

/** Counts and draws start afresh with every set of rules. */
export function createBehaviour(rules: readonly BehaviourRule[]): BehaviourState {
  const states = rules.map((rule) => ({ rule, seen: 0, random: createRandom(rule.seed ?? 1) }));
  return {
    pick: (phase, facts, now) => {
      for (const state of states) {
        const { rule } = state;
        if (isBeforeBody(rule.answer) !== (phase === "head")) continue;
        if (rule.until !== undefined && now.getTime() >= Date.parse(rule.until)) continue;
        if (rule.plates !== undefined && !(facts !== null && rule.plates.includes(facts.plate))) continue;
        if (rule.readerCodes !== undefined && !(facts !== null && rule.readerCodes.includes(facts.readerCode)))
          continue;
        state.seen += 1;
        if (rule.first !== undefined && state.seen > rule.first) continue;
        if (rule.every !== undefined && state.seen % rule.every !== 0) continue;
        if (rule.probability !== undefined && state.random() >= rule.probability) continue;
        return rule;
      }
      return null;
    },
  };
}

function isBeforeBody(answer: Answer): boolean {
  return (answer.kind === "reset" || answer.kind === "close") && answer.at === "before-body";
}

/** Rules as they come from the control port or a file. @throws AppError `usage` naming the rule, the value and what is allowed. */
export function parseRules(value: unknown): readonly BehaviourRule[] {
  if (!Array.isArray(value)) throw refused("rules", value, "an array");
  return value.map((rule: unknown, index) => parseRule(`rules[${index}]`, rule));
}

function parseRule(where: string, value: unknown): BehaviourRule {
  const given = asRecord(where, value);
  const known = [
    "answer",
    "delayMs",
    "takes",
    "first",
    "every",
    "probability",
    "seed",
    "plates",
    "readerCodes",
    "until",
  ];
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) throw refused(`${where}.${name}`, given[name], `one of ${known.join(", ")}`);
  }
  const number = (name: string, least: number, most: number): number | undefined => {
    const found = given[name];
    if (found === undefined) return undefined;
    if (typeof found === "number" && found >= least && found <= most) return found;
    throw refused(`${where}.${name}`, found, `a number from ${least} to ${most}`);
  };
  const texts = (name: string): readonly string[] | undefined => {
    const found = given[name];
    if (found === undefined) return undefined;
    if (Array.isArray(found) && found.every((text) => typeof text === "string")) return found;
    throw refused(`${where}.${name}`, "not shown", "an array of texts");
  };
  const { takes, until } = given;
  if (takes !== undefined && typeof takes !== "boolean") throw refused(`${where}.takes`, takes, "true or false");
  if (until !== undefined && (typeof until !== "string" || Number.isNaN(Date.parse(until)))) {
    throw refused(`${where}.until`, until, "an instant (ISO 8601)");
  }
  return withoutUndefined({
    answer: parseAnswer(`${where}.answer`, given["answer"]),
    delayMs: number("delayMs", 0, 3_600_000),
    takes,
    first: number("first", 0, Number.MAX_SAFE_INTEGER),
    every: number("every", 1, Number.MAX_SAFE_INTEGER),
    probability: number("probability", 0, 1),
    seed: number("seed", 0, 0xffffffff),
    plates: texts("plates"),
    readerCodes: texts("readerCodes"),
    until,
  });
}

function parseAnswer(where: string, value: unknown): Answer {
  const { kind, code, fault, status, at } = asRecord(where, value);
  switch (kind) {
    case "code":
      if (code === null || typeof code === "string") return { kind, code };
      throw refused(`${where}.code`, code, "a text, or null for none");
    case "fault": {
      const found = FAULT_KINDS.find((name) => name === fault);
      if (found !== undefined) return { kind, fault: found };
      throw refused(`${where}.fault`, fault, FAULT_KINDS.join(", "));
    }
    case "status":
      if (typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 599)
        return { kind, status };
      throw refused(`${where}.status`, status, "200 to 599");
    case "reset":
    case "close": {
      const found = BREAK_POINTS.find((point) => point === at);
      if (found !== undefined) return { kind, at: found };
      throw refused(`${where}.at`, at, BREAK_POINTS.join(", "));
    }
    case "html":
    case "empty":
    case "truncated":
    case "hang":
    case "accept":
      return { kind };
    default:
      throw refused(`${where}.kind`, kind, "accept, code, fault, status, html, empty, truncated, hang, reset, close");
  }
}

function asRecord(where: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw refused(where, value, "an object");
}

function refused(where: string, value: unknown, allowed: string): AppError {
  return new AppError("usage", `reading the behaviour: ${where} is ${JSON.stringify(value)}, allowed: ${allowed}`);
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
type Loose<T> = { [K in keyof T]: T[K] | undefined };

function withoutUndefined(rule: Loose<Required<BehaviourRule>> & { answer: Answer }): BehaviourRule {
  const entries = Object.entries(rule).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Defined<typeof rule>;
}

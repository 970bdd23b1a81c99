import { coordinate, endpointUrl, name as nameOf, readerCode } from "../../registry-values.ts";
import { isTimeZone } from "../../time-zone.ts";
import type { Field, Values } from "./form.tsx";
import { t } from "./i18n.ts";

// What a registration may hold, as the server judges it, said in the language of the page.

type Check = NonNullable<Field["check"]>;

export function required(value: string): string | null {
  return value === "" ? t().form.required : null;
}

/** A name that nothing else has; `known` without regard to case. */
export function newName(most: number, known: readonly string[]): Check {
  return (value) => {
    const problem = required(value) ?? text(most)(value, {});
    if (problem !== null) return problem;
    const isKnown = known.some((one) => one.toLowerCase() === value.toLowerCase());
    return isKnown ? t().form.known : null;
  };
}

/** Of so many characters at most; it may be left out. */
export function text(most: number): Check {
  return (value) => (value === "" || "value" in nameOf(most).parse(value) ? null : t().form.text(most));
}

export function reader(value: string): string | null {
  return required(value) ?? ("value" in readerCode.parse(value) ? null : t().form.reader);
}

/** Both or none, each with its two decimals. */
export function coordinateBeside(other: string): Check {
  return (value: string, values: Values) => {
    if (value === "") return (values[other] ?? "") === "" ? null : t().form.together;
    return "value" in coordinate.parse(asCoordinate(value)) ? null : t().form.coordinate;
  };
}

/** The police want a point where many write a comma. */
export function asCoordinate(value: string): string {
  return value.replace(",", ".");
}

export function address(value: string): string | null {
  return required(value) ?? ("value" in endpointUrl.parse(value) ? null : t().form.address);
}

export function zone(value: string): string | null {
  return value === "" || isTimeZone(value) ? null : t().form.zone;
}

/** A whole number in these bounds; left out where `isOptional`. */
export function whole(least: number, most: number, isOptional: boolean): Check {
  return (value) => {
    if (value === "") return isOptional ? null : t().form.required;
    const number = Number(value);
    return /^\d{1,9}$/.test(value) && number >= least && number <= most ? null : t().form.whole(least, most);
  };
}

import { bad, type Finding, good, warning } from "./finding.ts";
import type { ContractElement, ServiceContract } from "./soap/contract.ts";

/** What differs between the contract we send by and the one that was read, in words. */
export function compareContracts(ours: ServiceContract, theirs: ServiceContract): readonly string[] {
  const differences: string[] = [];
  if (ours.targetNamespace !== theirs.targetNamespace) differences.push(`the namespace is ${theirs.targetNamespace}`);
  if (ours.qualified !== theirs.qualified) differences.push(`fields are ${theirs.qualified ? "" : "not "}qualified`);
  if (ours.requestElement !== theirs.requestElement) differences.push(`the request is ${theirs.requestElement}`);
  const [own, other] = [ours.elements.map(nameOf), theirs.elements.map(nameOf)];
  const added = other.filter((name) => !own.includes(name));
  const gone = own.filter((name) => !other.includes(name));
  if (added.length > 0) differences.push(`new: ${added.join(", ")}`);
  if (gone.length > 0) differences.push(`gone: ${gone.join(", ")}`);
  const common = own.filter((name) => other.includes(name));
  const moved = common.find((name, at) => other.filter((n) => own.includes(n))[at] !== name);
  if (moved !== undefined) differences.push(`another order, from ${moved} on`);
  for (const mine of ours.elements) {
    const yours = theirs.elements.find(({ name }) => name === mine.name);
    if (yours !== undefined) differences.push(...compareElements(mine, yours));
  }
  return differences;
}

function compareElements(ours: ContractElement, theirs: ContractElement): string[] {
  const { name } = ours;
  return [
    ...(!ours.required && theirs.required ? [`${name} is required now`] : []),
    ...(theirs.maxLength !== null && (ours.maxLength === null || theirs.maxLength < ours.maxLength)
      ? [`${name} has at most ${theirs.maxLength} characters`]
      : []),
    ...(theirs.minLength !== null && theirs.minLength > (ours.minLength ?? 0) && theirs.minLength > 1
      ? [`${name} has at least ${theirs.minLength} characters`]
      : []),
  ];
}

const nameOf = ({ name }: { name: string }): string => name;

/**
 * @param source where a WSDL was looked for
 * @param configured whether messages follow it; else they follow what is built in
 * @param read what was read, or why it cannot be used; `absent`: nothing is there
 */
export function judgeWsdl(
  check: string,
  source: string,
  configured: boolean,
  read: { contract: ServiceContract } | { problem: string } | "absent",
  builtin: ServiceContract,
  setCommand: string,
): Finding {
  if (read === "absent") {
    if (!configured)
      return good(check, "none is set and none stands beside the address: the built-in contract is used");
    return bad(
      check,
      `there is none at ${source}: what was read last, else the built-in contract, is used`,
      setCommand,
    );
  }
  if ("problem" in read) {
    const used = configured
      ? "what was read last, else the built-in contract, is used"
      : "the built-in contract is used";
    return (configured ? bad : warning)(
      check,
      `${read.problem}; ${used}`,
      `${setCommand}; ask the police what changed`,
    );
  }
  const differences = compareContracts(builtin, read.contract);
  const fields = `${read.contract.elements.length} fields`;
  if (differences.length === 0) return good(check, `${fields} in the order that is sent`);
  const what = `the police's fields are not those that are built in: ${differences.join("; ")}`;
  if (configured) {
    return warning(check, `${what}; messages follow the WSDL`, "see that the readings are accepted: tattile status");
  }
  return bad(check, `${what}; messages follow the built-in contract`, setCommand);
}

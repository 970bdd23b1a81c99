/**
 * Usage: test-summary.ts JUNIT LOG STATUS LEAKED. Prints what is wrong with a run, then `N passed, N failed`, and exits
 * 1 unless everything is well. The runner's own word is not enough: `process.exit(0)` in a test ends it green with the
 * rest unrun, and then there is no report, or one that does not agree with the summary.
 */
import { existsSync, readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

export interface RunFacts {
  /** The report's text, or null when none was written. */
  junit: string | null;
  /** All that the runner printed. */
  log: string;
  /** Its exit code. */
  status: number;
  /** Names of temporary files and processes that tests left behind. */
  leaked: readonly string[];
}

/** What the run amounts to; `complaints` empty: all is well. */
export function summarize(run: RunFacts): { passed: number; failed: number; complaints: readonly string[] } {
  const complaints: string[] = [];
  const root = /<testsuites\b[^>]*>/.exec(run.junit ?? "")?.[0] ?? "";
  const count = (name: string): number => Number(new RegExp(`\\s${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  const tests = count("tests");
  const failures = count("failures");
  const skipped = count("skipped");
  const passes = lastNumber(run.log, /^\s*(\d+) pass$/gm);
  const fails = lastNumber(run.log, /^\s*(\d+) fail$/gm);

  if (run.junit === null || root === "") complaints.push("no report was written: a test ended the run");
  if (passes === null) complaints.push("the runner printed no summary: a test ended the run");
  if (tests === 0) complaints.push("no test was run");
  if (skipped > 0) complaints.push(`${skipped} skipped: a test that does not run proves nothing`);
  if (run.junit !== null && passes !== null && passes + (fails ?? 0) !== tests - skipped) {
    complaints.push(`the report counts ${tests - skipped}, the runner ${passes + (fails ?? 0)}`);
  }
  if (run.status !== 0 && failures === 0 && (fails ?? 0) === 0) {
    complaints.push(`the runner ended with ${run.status}`);
  }
  if (run.leaked.length > 0) complaints.push(`tests left behind: ${run.leaked.join(", ")}`);

  const failedTests = Math.max(failures, fails ?? 0);
  return {
    passed: Math.max(0, tests - skipped - failures),
    failed: failedTests > 0 ? failedTests : complaints.length,
    complaints,
  };
}

function lastNumber(text: string, pattern: RegExp): number | null {
  const found = [...text.matchAll(pattern)].at(-1)?.[1];
  return found === undefined ? null : Number(found);
}

if (import.meta.main) {
  const [junit = "", log = "", status = "1", leaked = ""] = process.argv.slice(2);
  const result = summarize({
    junit: existsSync(junit) ? readFileSync(junit, "utf8") : null,
    log: existsSync(log) ? stripVTControlCharacters(readFileSync(log, "utf8")) : "",
    status: Number(status),
    leaked: leaked.split("\n").filter((name) => name !== ""),
  });
  for (const complaint of result.complaints) console.log(`error: ${complaint}`);
  console.log(`${result.passed} passed, ${result.failed} failed`);
  process.exitCode = result.failed > 0 || result.complaints.length > 0 ? 1 : 0;
}

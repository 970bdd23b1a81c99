import { expect, test } from "bun:test";
import { createLog, type LogOptions } from "../src/log.ts";

function openLog(change: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const clock = { now: new Date("2026-03-01T10:00:00Z") };
  const log = createLog({
    level: "info",
    journal: false,
    write: (line) => lines.push(line),
    now: () => clock.now,
    ...change,
  });
  return { log, lines, clock };
}

test("a line has its moment, how grave it is, a text and what belongs to it, and stays one line", () => {
  const { log, lines } = openLog();
  log.warn("connection refused", { peer: "192.0.2.7", count: 3, camera: null, text: 'a "b"\nc=d', none: undefined });
  log.info("ready");
  log.debug("not asked for");
  expect(lines).toEqual([
    '2026-03-01T10:00:00.000Z WARN  connection refused peer=192.0.2.7 count=3 camera=null text="a \\"b\\"\\nc=d"\n',
    "2026-03-01T10:00:00.000Z INFO  ready\n",
  ]);
});

test("for the journal a line begins with its severity, and has no time of its own", () => {
  const { log, lines } = openLog({ journal: true, level: "debug" });
  for (const level of ["error", "warn", "info", "debug"] as const) log[level]("text");
  expect(lines).toEqual(["<3>text\n", "<4>text\n", "<6>text\n", "<7>text\n"]);
});

test("of one text 60 lines a minute are written; how many were not stands in its next line", () => {
  const { log, lines, clock } = openLog();
  for (let n = 0; n < 100; n += 1) log.warn("trouble", { n });
  log.warn("other trouble");
  expect(lines).toHaveLength(61);
  expect(lines[59]).toEndWith(" trouble n=59\n");
  clock.now = new Date("2026-03-01T10:01:00Z");
  for (let n = 0; n < 2; n += 1) log.warn("trouble", { n });
  expect(lines.slice(61).map((line) => line.slice(25))).toEqual([
    "WARN  trouble n=0 suppressedBefore=40\n",
    "WARN  trouble n=1\n",
  ]);
});

import { expect, test } from "bun:test";
import { maskAnswer } from "../../src/deeds/hand-delivery.ts";

test("an answer shows no plate, neither as it was typed nor as it was sent", () => {
  const answer = "<e>1234BCD</e><e>1234 bcd</e><e>1234bcd</e><e>4321BCD</e>";
  expect(maskAnswer(answer, " 1234 bcd ")).toBe("<e>12•••CD</e><e>12•••cd</e><e>12•••cd</e><e>4321BCD</e>");
  expect(maskAnswer("a.b A.B axb", "a.b")).not.toMatch(/a\.b/i);
  expect(maskAnswer("nothing", " ")).toBe("nothing");
});

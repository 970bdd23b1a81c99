import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hashToken } from "../../src/api-token.ts";
import { withStore } from "../support/queued-readings.ts";
import { openCommandFolder } from "../support/tattile-command.ts";

test("a token is shown once, is found by what was shown, and lies nowhere in the store", async () => {
  await using cli = await openCommandFolder();
  const said = await cli.run("token", "create", "Marta", "--role", "admin");
  expect(said.code).toBe(0);
  const token = said.stdout.trim();
  expect(token).toMatch(/^tat_[A-Za-z0-9_-]{43}$/);
  expect(said.stderr).toContain("cannot be shown again");
  const found = await withStore(cli.dataDir, (store) => store.findToken(hashToken(token), new Date()));
  expect(found).toMatchObject({ name: "Marta", role: "admin" });
  expect(readFileSync(join(cli.dataDir, "tattile.db")).includes(token)).toBe(false);
  const listed = await cli.run("token", "list");
  expect(listed.stdout).toMatch(/Marta +admin .* never +no end/);
  expect(listed.stdout).not.toContain(token);
});

test("a token ends after its days, and is revoked by name or id", async () => {
  await using cli = await openCommandFolder();
  const { stdout } = await cli.run("token", "create", "wallboard", "--role", "viewer", "--days", "30", "--json");
  const { id, token, expiresAt } = JSON.parse(stdout);
  expect(Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000)).toBe(30);
  expect(await cli.run("token", "revoke", "wallbord", "--yes")).toMatchObject({ code: 1 });
  expect((await cli.run("token", "revoke", "WALLBOARD", "--dry-run")).stdout).toContain("would revoke");
  expect(await cli.run("token", "revoke", `${id}`, "--yes")).toMatchObject({ code: 0 });
  expect(await withStore(cli.dataDir, (store) => store.findToken(hashToken(token), new Date()))).toBeNull();
  expect((await cli.run("token", "list")).stdout).toContain("No token yet");
});

test("a token needs a role that exists, and a name of its own", async () => {
  await using cli = await openCommandFolder();
  expect((await cli.run("token", "create", "Marta")).stderr).toContain("--role ROLE is missing");
  expect((await cli.run("token", "create", "Marta", "--role", "root")).stderr).toContain("viewer, operator, admin");
  await cli.run("token", "create", "Marta", "--role", "viewer");
  const again = await cli.run("token", "create", "marta", "--role", "admin");
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain("there is one of that name");
});

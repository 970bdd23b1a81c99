import { afterAll, expect, test } from "bun:test";
import type { TokenRole } from "../../src/store/tokens.ts";
import { openSite, type Site } from "../e2e/site.ts";
import { closeBrowser, logIn, openView } from "./browser.ts";

afterAll(closeBrowser);

async function makeToken(site: Site, role: TokenRole): Promise<string> {
  const { stdout } = await site.run("token", "create", `my ${role}`, "--role", role);
  return stdout.trim();
}

test("shows how the first token is made, notices when it is there, and lets in who has it", async () => {
  await using site = await openSite();
  await site.start("api");
  await using view = await openView(site.url);
  const { page } = view;
  await page.getByRole("heading", { name: "Welcome to tattile" }).waitFor();
  expect(await page.locator("code").textContent()).toContain("tattile token create");

  const token = await makeToken(site, "viewer");
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.getByLabel("Token").fill(`tat_${"A".repeat(43)}`);
  await page.getByRole("button", { name: "Log in" }).click();
  expect(await page.getByRole("alert").textContent()).toContain("not known");

  await logIn(page, token);
  await page.getByRole("heading", { name: "Readings do not get through" }).waitFor();
  expect(await page.locator(".who").textContent()).toBe("my viewer (viewer)");
  await page.reload();
  await page.locator(".verdict").waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(view.problems).toEqual([]);
});

test("a reading is seen to arrive and to be delivered, and the balance adds up", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.start();
  await using view = await openView(site.url);
  const { page } = view;
  await logIn(page, await makeToken(site, "viewer"));
  const delivered = page.locator(".balance .delivered dd");
  await delivered.filter({ hasText: /^0$/ }).waitFor();
  await site.send({ serials: ["2001008851"], total: 3 });
  await delivered.filter({ hasText: /^3$/ }).waitFor();
  await page.getByRole("heading", { name: "Everything is delivered" }).waitFor();
  await page.getByText("It adds up").waitFor();
  expect(view.problems).toEqual([]);
  if (process.env["SCREENSHOTS"]) await page.screenshot({ path: "/tmp/web-1.png", fullPage: true });
});

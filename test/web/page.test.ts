import { afterAll, beforeAll, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Site } from "../e2e/site.ts";
import { closeBrowser, findBarriers, logIn, makeToken, openView, overflow } from "./browser.ts";
import { openStagedSite } from "./staged-site.ts";

let site: Site;
let admin: string;
let viewer: string;

beforeAll(async () => {
  site = await openStagedSite();
  admin = await makeToken(site, "admin");
  viewer = await makeToken(site, "viewer");
}, 90_000);
afterAll(async () => {
  await closeBrowser();
  await site[Symbol.asyncDispose]();
});

/** Every page, with something of it that only stands there once it has its data. */
const PAGES = [
  ["#/", ".chart canvas"],
  ["#/messages", "tbody a"],
  ["#/messages?state=DEAD&reason=codiRetorn%3D12", "tbody a"],
  ["#/messages/61", ".life li"],
  ["#/quarantine", ".held form"],
  ["#/certificates", "tbody tr"],
  ["#/registry/cameras", "tbody tr"],
  ["#/registry/municipalities", "tbody tr"],
  ["#/registry/endpoints", "tbody tr"],
  ["#/tokens", "tbody tr"],
  ["#/audit", "tbody tr"],
] as const;

test.each([
  ["light, on a screen", { width: 1280, language: "en-GB" }],
  ["dark, on a phone", { width: 360, height: 740, language: "ca", dark: true }],
  ["light, on a phone", { width: 360, height: 740, language: "es" }],
])("no page keeps anybody out, and none is wider than its window: %s", async (_name, options) => {
  await using view = await openView(site.url, options);
  const { page } = view;
  await page.locator("form").waitFor();
  expect(await findBarriers(page)).toEqual([]);
  await logIn(page, admin);
  for (const [address, sign] of PAGES) {
    await page.goto(`/${address}`);
    await page.locator(sign).first().waitFor();
    await page.locator("summary").first().click();
    expect([address, await findBarriers(page)]).toEqual([address, []]);
    expect([address, await overflow(page)]).toEqual([address, 0]);
    await page.locator("summary").first().click();
  }
  await page.goto("/#/messages/61");
  await page.locator("button.danger").click();
  await page.locator("dialog").waitFor();
  expect(await findBarriers(page)).toEqual([]);
  for (const part of ["registry/cameras", "registry/municipalities", "registry/endpoints", "tokens"]) {
    await page.goto(`/#/${part}`);
    await page.locator(".card-head button").click();
    await page.locator("dialog button[type=submit]").click();
    await page.locator("dialog .problem").first().waitFor();
    expect([part, await findBarriers(page)]).toEqual([part, []]);
    expect([part, await overflow(page)]).toEqual([part, 0]);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
  }
  expect(view.problems).toEqual([]);
});

test("of a reading of the replaced system the camera's own digits are shown, also in an hour that never was here", async () => {
  await using view = await openView(site.url);
  const { page } = view;
  const told = { timeSource: "wall-clock", capturedAt: null, capturedWallClock: "2026-03-29T02:30:00" };
  await page.route("**/api/v1/messages**", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    for (const message of json.messages ?? [json.message]) Object.assign(message, told);
    await route.fulfill({ response, json });
  });
  await page.locator("form").waitFor();
  await logIn(page, admin);
  await page.goto("/#/messages/61");
  expect(await page.locator(".life li").first().textContent()).toMatch(
    /29\/03\/2026, 02:30:00\s*Taken, by the camera’s clock/,
  );
  await page.goto("/#/messages");
  await page.locator("tbody a").first().waitFor();
  expect(await page.locator("tbody tr").first().textContent()).toContain("29/03/2026, 02:30:00 (camera’s clock)");
  expect(await overflow(page)).toBe(0);
  expect(view.problems).toEqual([]);
});

test("what would keep somebody out is found", async () => {
  await using view = await openView(site.url);
  await view.page.locator("form").waitFor();
  await view.page.evaluate("document.querySelector('main').append(document.createElement('button'))");
  expect((await findBarriers(view.page)).join()).toContain("button-name");
  await view.page.evaluate("document.querySelector('main').style.minWidth = '2000px'");
  expect(await overflow(view.page)).toBeGreaterThan(0);
});

test("everything can be reached and done with the keyboard", async () => {
  await using view = await openView(site.url);
  const { page } = view;
  await page.locator("form").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForFunction("document.activeElement.id === 'content'");
  await page.keyboard.press("Tab");
  await page.keyboard.type(admin);
  await page.keyboard.press("Enter");
  // All of the page is there: it comes in several answers.
  for (const part of [".verdict", ".chart canvas"]) await page.locator(part).first().waitFor();
  await page.getByRole("button", { name: "Send again" }).first().waitFor();
  // From the first element on, every control gets the focus, and shows that it has it.
  const visited: string[] = [];
  for (let n = 0; n < 60; n++) {
    await page.keyboard.press("Tab");
    const focus = (await page.evaluate(`(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const style = getComputedStyle(element);
      const shown = element.matches(".spans input") ? getComputedStyle(element.nextElementSibling) : style;
      return { name: element.textContent.trim().slice(0, 30) || element.value, outline: shown.outlineStyle };
    })()`)) as { name: string; outline: string } | null;
    if (focus === null) break;
    expect(focus).toMatchObject({ outline: "solid" });
    visited.push(focus.name);
  }
  for (const name of ["Overview", "Certificates", "Send again", "Register", "hour", "As a table"]) {
    expect(visited.some((one) => one.startsWith(name))).toBe(true);
  }
});

test("another page begins at its top, says what it is, and the keyboard goes on there", async () => {
  await using view = await openView(site.url, { width: 360, height: 500 });
  const { page } = view;
  await logIn(page, admin);
  await page.getByRole("link", { name: "Look at them" }).first().focus();
  expect(await page.evaluate("scrollY > 0")).toBe(true);
  await page.keyboard.press("Enter");
  await page
    .getByRole("row", { name: /given up/ })
    .first()
    .waitFor();
  expect(await page.title()).toBe("Queue · tattile");
  expect(await page.evaluate("[scrollY, document.activeElement.id]")).toEqual([0, "content"]);
});

test.each([
  ["ca-ES", "ca", "3 lectures sense poder lliurar", "Lectures per minut"],
  ["es-ES", "es", "3 lecturas sin poder entregar", "Lecturas por minuto"],
  ["en-US", "en", "3 readings could not be delivered", "Readings per minute"],
  ["fr-FR", "ca", "3 lectures sense poder lliurar", "Lectures per minut"],
])("a browser that asks for %s is answered in %s", async (language, code, headline, rates) => {
  await using view = await openView(site.url, { language });
  await logIn(view.page, viewer);
  await view.page.getByRole("heading", { name: headline }).waitFor();
  await view.page.getByRole("heading", { name: rates }).waitFor();
  expect(await view.page.evaluate("document.documentElement.lang")).toBe(code);
});

test("language and colours are chosen in the menu, and kept", async () => {
  await using view = await openView(site.url);
  const { page } = view;
  await page.locator("summary").click();
  await page.getByLabel("Language").selectOption("ca");
  await page.getByRole("heading", { name: "Entra" }).waitFor();
  await page.locator("summary").click();
  await page.getByLabel("Colors").selectOption("dark");
  const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  expect(await background()).toBe("rgb(16, 21, 19)");
  await page.reload();
  await page.getByRole("heading", { name: "Entra" }).waitFor();
  expect(await background()).toBe("rgb(16, 21, 19)");
});

const PLATES = ["1234BCD", "5678FGH", "9012JKL"];

test("a viewer gets no plate, no picture and no button that changes something; nobody gets a plate in an address", async () => {
  for (const token of [viewer, admin]) {
    await using view = await openView(site.url);
    const { page } = view;
    const seen: string[] = [];
    page.on("response", async (response) => {
      if (!response.url().includes("/events")) seen.push(await response.text().catch(() => ""));
    });
    await logIn(page, token);
    for (const [address] of PAGES) {
      await page.goto(`/${address}`);
      await page.waitForLoadState("networkidle").catch(() => {});
      await page.locator("main h1").first().waitFor();
      seen.push(await page.content());
    }
    const addresses = view.requests.map(({ url }) => url).join();
    for (const plate of PLATES) {
      expect(addresses).not.toContain(plate);
      // Masked for those allowed, and nothing at all for a viewer.
      expect(seen.join()).not.toContain(plate);
      if (token === viewer) expect(seen.join()).not.toContain(`${plate.slice(0, 2)}•`);
    }
    expect(addresses).not.toContain("/images/");
    if (token !== viewer) continue;
    await page.goto("/#/messages/61");
    await page.locator(".life").waitFor();
    expect(await page.locator("main button").allTextContents()).toEqual([]);
    await page.goto("/#/");
    await page.locator(".attention").waitFor();
    const buttons = await page.locator(".attention button").allTextContents();
    expect(buttons.filter((text) => text !== "Copy")).toEqual([]);
    const picture = await page.evaluate("fetch('/api/v1/messages/61/images/ocr').then((answer) => answer.status)");
    expect(picture).toBe(403);
  }
});

/** All that comes over the line until the first look is complete. */
const BUDGET_BYTES = 150_000;

test("the first look fits the budget, comes from this service only, and is there over a slow line", async () => {
  await using view = await openView(site.url, { slow: true });
  const { page } = view;
  await logIn(page, viewer);
  await page.locator(".chart canvas").waitFor();
  await page.getByRole("row", { name: /2001008853/ }).waitFor();
  const foreign = view.requests.filter(({ url }) => new URL(url).origin !== site.url);
  expect(foreign).toEqual([]);
  const bytes = view.requests.reduce((sum, request) => sum + request.bytes, 0);
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThan(BUDGET_BYTES);
});

test("files come compressed as the browser takes them, are known again, and are refused to nobody", async () => {
  const page = await fetch(site.url);
  const html = await page.text();
  expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
  expect(page.headers.get("cache-control")).toBe("no-cache");
  const again = await fetch(site.url, { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
  expect(again.status).toBe(304);
  const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
  expect(paths).toHaveLength(3);
  for (const path of paths) {
    const get = (encoding: string) =>
      fetch(site.url + path, { headers: { "accept-encoding": encoding }, decompress: false });
    const [plain, gzip, brotli] = await Promise.all([get("identity"), get("gzip, deflate"), get("gzip, deflate, br")]);
    expect(plain?.headers.get("cache-control")).toContain("immutable");
    expect([gzip?.headers.get("content-encoding"), brotli?.headers.get("content-encoding")]).toEqual(["gzip", "br"]);
    const bytes = Buffer.from(await plain.arrayBuffer());
    expect(gunzipSync(await gzip.arrayBuffer()).equals(bytes)).toBe(true);
    expect(brotliDecompressSync(await brotli.arrayBuffer()).equals(bytes)).toBe(true);
    // Nothing that is fetched from elsewhere.
    expect(bytes.toString().match(/(?:src|href|url\(|import\()["'(]*https?:/g)).toBeNull();
  }
  expect((await fetch(`${site.url}/assets/none.js`)).status).toBe(404);
});

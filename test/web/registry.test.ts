import { afterAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { openSite, type Site } from "../e2e/site.ts";
import { closeBrowser, openAs } from "./browser.ts";
import { sendReading } from "./staged-site.ts";

afterAll(closeBrowser);

const dialogOf = (page: Page) => page.getByRole("dialog");

async function closed(page: Page): Promise<void> {
  await dialogOf(page).waitFor({ state: "detached" });
}

async function cameraOf(site: Site, serial: string): Promise<Record<string, unknown>> {
  const { stdout } = await site.run("camera", "show", serial, "--json");
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("a service, a municipality that signs, and a camera are registered, and what the camera sends is delivered", async () => {
  await using site = await openSite();
  await site.start();
  await using view = await openAs(site, "admin");
  const { page } = view;
  await page.getByRole("link", { name: "Registry" }).click();
  await page.getByRole("navigation", { name: "Registry" }).getByRole("link", { name: "Police services" }).click();
  await page.getByRole("button", { name: "Add a police service" }).click();
  const dialog = dialogOf(page);
  await dialog.getByLabel("Name").fill("Police");
  await dialog.getByLabel("Address").fill("ftp://nowhere");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("This one is registered already.").waitFor();
  expect(await page.evaluate("document.activeElement.name")).toBe("name");
  expect(await dialog.getByLabel("Address").getAttribute("aria-invalid")).toBe("true");
  await dialog.getByLabel("Name").fill("test service");
  await dialog.getByLabel("Address").fill("https://127.0.0.1:9/service");
  await dialog.getByLabel("Wait for an answer, in milliseconds").fill("3000");
  await page.keyboard.press("Enter");
  await closed(page);
  await page.getByRole("status").getByText("test service is saved.").waitFor();
  expect(await page.getByRole("row", { name: /test service/ }).textContent()).toContain("3000 ms");

  await page.getByRole("link", { name: "Municipalities" }).click();
  await page.getByRole("button", { name: "Add a municipality" }).click();
  await dialog.getByLabel("Name").fill("Olot");
  await dialog.getByLabel("Service").selectOption("police");
  const certificate = await dialog.getByLabel("Certificate").locator("option").nth(1).textContent();
  expect(certificate).toContain("Vila");
  await dialog.getByLabel("Certificate").selectOption({ index: 1 });
  await dialog.getByRole("button", { name: "Save" }).click();
  await closed(page);
  await page.getByRole("row", { name: /Olot.*police.*Vila/ }).waitFor();
  // The certificate alone is another request than the rest; a form without changes is none.
  await page.getByRole("button", { name: "Change Olot" }).click();
  await dialog.getByLabel("Certificate").selectOption("");
  await dialog.getByRole("button", { name: "Save" }).click();
  await closed(page);
  await page.getByRole("row", { name: /Olot.*police.*none/ }).waitFor();
  await page.getByRole("button", { name: "Change Olot" }).click();
  await dialog.getByLabel("Certificate").selectOption({ index: 1 });
  await dialog.getByRole("button", { name: "Save" }).click();
  await closed(page);
  await page.getByRole("row", { name: /Olot.*police.*Vila/ }).waitFor();
  await page.getByRole("button", { name: "Change Olot" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await closed(page);
  const { stdout } = await site.run("audit", "list", "--json");
  expect(stdout.match(/municipality save/g)).toHaveLength(1);
  expect(stdout.match(/certificate assign/g)).toHaveLength(3);

  await page.getByRole("link", { name: "Cameras" }).click();
  await page.getByRole("button", { name: "Register a camera" }).click();
  await dialog.getByRole("button", { name: "Register" }).click();
  // Serial, reader code, municipality.
  await dialog.getByText("This is needed.").nth(2).waitFor();
  await dialog.getByLabel("Serial").fill("2001008877");
  await dialog.getByLabel("Reader code").fill("CAM-OLOT-NORD-0001");
  await dialog.getByLabel("Municipality").selectOption("Olot");
  await dialog.getByLabel("X (UTM 31N)").fill("431234,5");
  await dialog.getByRole("button", { name: "Register" }).click();
  await dialog.getByText("1 to 16 characters without blanks").waitFor();
  await dialog.getByText("Metres with exactly two decimals and").waitFor();
  await dialog.getByText("Give both coordinates, or none.").waitFor();
  await dialog.getByLabel("Reader code").fill("CAM-OLOT-01");
  await dialog.getByLabel("X (UTM 31N)").fill("431234,50");
  await dialog.getByLabel("Y (UTM 31N)").fill("4588123.00");
  await dialog.getByRole("button", { name: "Register" }).click();
  await closed(page);
  await page.getByRole("row", { name: /2001008877.*Olot.*CAM-OLOT-01.*431234\.50 4588123\.00/ }).waitFor();

  await sendReading(site, "2001008877", "1234BCD");
  await page.getByRole("link", { name: "Overview" }).click();
  await page.locator(".balance .delivered dd").getByText("1", { exact: true }).waitFor();
  expect(site.mossos.records.accepted()[0]).toMatchObject({ readerCode: "CAM-OLOT-01" });
  expect(view.problems).toEqual([]);
});

test("a camera moves, gets a service of its own, and is switched off; what was not touched stays", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.run("municipality", "add", "Olot", "--endpoint", "police");
  await site.run("endpoint", "add", "second", "https://127.0.0.1:9/x");
  await site.start();
  await using view = await openAs(site, "admin", { width: 360 });
  const { page } = view;
  await page.goto("/#/registry/cameras");
  const change = page.getByRole("button", { name: "Change 2001008851" });
  await change.click();
  const dialog = dialogOf(page);
  await dialog.getByLabel("Municipality").selectOption("Olot");
  await dialog.getByLabel("Service").selectOption("second");
  await dialog.getByLabel("Its readings are taken in").uncheck();
  await dialog.getByRole("button", { name: "Save" }).click();
  await closed(page);
  // Who works with the keyboard goes on where the form was opened.
  expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Change 2001008851");
  await page.getByText("2001008851 is saved.").waitFor();
  expect(await cameraOf(site, "2001008851")).toMatchObject({
    readerCode: "R-01008851",
    municipality: "Olot",
    endpoint: "second",
    coordX: "430124.45",
    active: false,
  });
  await change.click();
  // Somebody else changes it meanwhile.
  await site.run("camera", "set", "2001008851", "--reader", "R-NEW", "--x", "431234.50", "--y", "4588123.00");
  await dialog.getByLabel("Description").fill("Bridge");
  await dialog.getByRole("button", { name: "Save" }).click();
  await closed(page);
  expect(await cameraOf(site, "2001008851")).toMatchObject({
    readerCode: "R-NEW",
    coordY: "4588123.00",
    description: "Bridge",
    municipality: "Olot",
  });
  await change.click();
  await dialog.getByLabel("Service").selectOption("");
  await dialog.getByLabel("Reader code").fill("");
  await page.keyboard.press("Escape");
  await closed(page);
  expect(await cameraOf(site, "2001008851")).toMatchObject({ endpoint: "second", readerCode: "R-NEW" });
});

test("a camera is removed as was chosen: what waits is delivered first, or erased unsent", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851", "2001008852");
  site.mossos.behave({ answer: { kind: "code", code: "12" } });
  await site.start();
  await sendReading(site, "2001008851", "1234BCD");
  await sendReading(site, "2001008852", "5678FGH");
  await site.until((health) => health["dead_messages"] === 2);
  site.mossos.behave();
  await using view = await openAs(site, "admin");
  const { page } = view;
  await page.goto("/#/registry/cameras");
  const dialog = dialogOf(page);
  await page.getByRole("button", { name: "Remove 2001008851" }).click();
  expect(await dialog.getByLabel("Deliver it first.").isChecked()).toBe(true);
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("2001008851 is switched off. It goes by itself").waitFor();
  await page.getByRole("row", { name: /2001008851.*switched off/ }).waitFor();

  await page.getByRole("button", { name: "Remove 2001008852" }).click();
  await dialog.getByLabel("Erase it with its pictures").check();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await page.getByText("2001008852 is removed; 1 reading erased.").waitFor();
  await page.getByRole("button", { name: "Remove 2001008852" }).waitFor({ state: "detached" });
  expect(await page.evaluate("document.activeElement.id")).toBe("content");

  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("button", { name: "Send again" }).click();
  await page.locator(".balance .delivered dd").getByText("1", { exact: true }).waitFor();
  expect(site.mossos.records.accepted().map(({ readerCode }) => readerCode)).toEqual(["R-01008851"]);
});

test("what is still used says by whom instead of going, and goes once nothing uses it", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.run("endpoint", "add", "second", "https://127.0.0.1:9/x");
  await site.run("municipality", "add", "Olot");
  await site.start();
  await using view = await openAs(site, "admin", { language: "ca-ES" });
  const { page } = view;
  const dialog = dialogOf(page);
  await page.goto("/#/registry/municipalities");
  await page.getByRole("button", { name: "Treu Vila" }).click();
  await dialog.getByText("Encara l’usen: 2001008851.").waitFor();
  expect(await dialog.getByRole("button").allTextContents()).toEqual(["Cancel·la"]);
  await dialog.getByRole("button").click();
  await page.getByRole("button", { name: "Treu Olot" }).click();
  await dialog.getByRole("button", { name: "Treu" }).click();
  await page.getByText("Olot: tret.").waitFor();

  await page.goto("/#/registry/endpoints");
  await page.getByRole("button", { name: "Treu police" }).click();
  await dialog.getByText("Encara l’usen: Vila.").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Treu second" }).click();
  await dialog.getByRole("button", { name: "Treu" }).click();
  await page.getByText("second: tret.").waitFor();
  await page.getByRole("button", { name: "Treu second" }).waitFor({ state: "detached" });
});

test("what only the service can refuse stands in the form, which stays open with what was written", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.run("municipality", "add", "Olot");
  await site.start();
  await using view = await openAs(site, "admin");
  const { page } = view;
  await page.goto("/#/registry/cameras");
  await page.getByRole("button", { name: "Change 2001008851" }).click();
  const dialog = dialogOf(page);
  await dialog.getByLabel("Municipality").selectOption("Olot");
  // Somebody else was quicker.
  await site.run("municipality", "remove", "Olot", "--yes");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.locator(".problem").waitFor();
  expect(await page.evaluate("document.activeElement.name")).toBe("municipality");
  expect(await dialog.locator(".problem").textContent()).toMatch(/^The service refuses this: .*Olot/);
});

test("who is no administrator sees what is registered, and nothing to change it with", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.start();
  await using view = await openAs(site, "operator");
  const { page } = view;
  await page.goto("/#/registry/cameras?add=2001008852");
  await page.getByRole("row", { name: /2001008851/ }).waitFor();
  await page.getByText("This needs the role administrator.").waitFor();
  expect(await page.locator("main button").allTextContents()).toEqual([]);
});

import { afterAll, expect, test } from "bun:test";
import { openSite } from "../e2e/site.ts";
import { closeBrowser, findBarriers, logIn, openAs, openView, overflow } from "./browser.ts";

afterAll(closeBrowser);

test("a token is made, shown once, lets its holder in, and is revoked with whoever is logged in", async () => {
  await using site = await openSite();
  await site.start("api");
  await using view = await openAs(site, "admin", { width: 360 });
  const { page } = view;
  await page.locator(".menu > summary").click();
  await page.getByRole("link", { name: "Tokens" }).click();
  await page.getByRole("heading", { name: "Tokens", level: 1 }).waitFor();
  expect(await page.title()).toBe("Tokens · tattile");
  expect(await page.locator("details.menu").getAttribute("open")).toBeNull();
  await page.getByRole("row", { name: /my admin \(yours\)/ }).waitFor();

  await page.getByRole("button", { name: "Make a token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Whose it is").fill("MY ADMIN");
  await dialog.getByLabel("Valid for so many days").fill("0");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await dialog.getByText("This one is registered already.").waitFor();
  await dialog.getByText("A whole number from 1 to 3,650.").waitFor();
  await dialog.getByLabel("Whose it is").fill("Jordi");
  await dialog.getByLabel("Role").selectOption("operator");
  await dialog.getByLabel("Valid for so many days").fill("30");
  await dialog.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { name: "The token of Jordi" }).waitFor();
  const token = (await page.locator("main .command code").textContent()) ?? "";
  expect(await overflow(page)).toBe(0);
  expect(await findBarriers(page)).toEqual([]);
  expect(token).toMatch(/^tat_[\w-]{43}$/);
  expect(await page.getByRole("row", { name: /Jordi/ }).textContent()).toMatch(/operator.*never/);

  await using other = await openView(site.url);
  await logIn(other.page, token);
  await other.page.locator(".menu > summary").click();
  expect(await other.page.locator(".who").textContent()).toBe("Jordi (operator)");
  expect(await other.page.locator(".choices a").allTextContents()).toEqual([]);
  await other.page.goto("/#/tokens");
  await other.page.getByText("This needs the role administrator.").waitFor();

  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.reload();
  await page.getByRole("row", { name: /Jordi/ }).waitFor();
  expect(await page.content()).not.toContain(token);
  await page.getByRole("button", { name: "Revoke Jordi" }).click();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("The token of Jordi is revoked.").waitFor();
  await page.getByRole("row", { name: /Jordi/ }).waitFor({ state: "detached" });
  await other.page.getByRole("heading", { name: "Log in" }).waitFor({ timeout: 45_000 });

  await page.getByRole("button", { name: "Revoke my admin" }).click();
  await dialog.getByText("you are out at once").waitFor();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("heading", { name: "Welcome to tattile" }).waitFor();
  expect(view.problems).toEqual([]);
});

test("the audit log says who did what, is narrowed, and goes on as far back as it reaches", async () => {
  await using site = await openSite();
  await site.start("api");
  await using view = await openAs(site, "admin", { language: "es-ES" });
  const { page } = view;
  for (let n = 0; n < 60; n++) {
    const answer = await page.evaluate(`fetch("/api/v1/municipalities/Poble${n}", {
      method: "PUT", body: "{}", headers: { "content-type": "application/json", "x-tattile-request": "1" },
    }).then((answer) => answer.status)`);
    expect(answer).toBe(200);
  }
  await page.goto("/#/audit");
  const rows = page.locator("tbody tr");
  await page.getByRole("heading", { name: "50 anotaciones" }).waitFor();
  expect(await rows.first().textContent()).toMatch(/token my admin \(dashboard\).*guardó un municipio.*Poble59/);
  await page.getByRole("button", { name: "Mostrar anteriores" }).click();
  await rows.nth(60).waitFor();
  const details = (await rows.locator("td:last-child").allTextContents()).join();
  for (let n = 0; n < 60; n++) expect(details).toContain(`Poble${n}`);
  await page.getByRole("button", { name: "Mostrar anteriores" }).waitFor({ state: "detached" });

  await page.locator('select[name="what"]').selectOption("token add");
  await page.getByRole("button", { name: "Mostrar", exact: true }).click();
  await page.getByRole("heading", { name: "1 anotación" }).waitFor();
  expect(await rows.textContent()).toContain("creó un token");
  await page.getByLabel("Quién").fill("dashboard");
  await page.keyboard.press("Enter");
  await page.getByText("No hay ninguna anotación así.").waitFor();
  await page.goto("/#/audit?since=2099-01-01");
  await page.getByText("No hay ninguna anotación así.").waitFor();
  await page.reload();
  expect(await page.getByLabel("Desde").inputValue()).toBe("2099-01-01");
  await page.goto("/#/audit?message=61");
  await page.getByText("No hay ninguna anotación así.").waitFor();
  expect(view.problems).toEqual([]);
});

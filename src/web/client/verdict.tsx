import { useState } from "preact/hooks";
import { formatDuration } from "../../format.ts";
import { Deed, retry, type Said, SaidNote, tryNow } from "./cures.tsx";
import { size, some, t } from "./i18n.ts";
import { Command, Section } from "./parts.tsx";
import { linkTo } from "./place.ts";
import { type Attention, mayOperate, type Role, type Status } from "./wire.ts";

/** Is everything delivered? One line, as large as it is important. */
export function Verdict(props: { status: Status; now: number }) {
  const { status, now } = props;
  const texts = t().verdict;
  const tone = status.status === "fine" ? "good" : status.status === "down" ? "bad" : "warn";
  const last = Math.max(0, ...status.endpoints.map(({ lastAcceptedAt }) => Date.parse(lastAcceptedAt ?? "") || 0));
  const { oldestAt } = status.queue;
  const oldest = Math.min(
    ...(["PENDING", "SENDING", "FAILED"] as const).map(
      (state) => Date.parse(oldestAt[state] ?? "") || Number.POSITIVE_INFINITY,
    ),
  );
  const parts = [last === 0 ? texts.noneYet : texts.last(formatDuration(now - last))];
  if (Number.isFinite(oldest)) parts.push(texts.oldest(formatDuration(now - oldest)));
  return (
    <div class={`verdict ${tone}`}>
      <span class="mark" aria-hidden="true">
        {tone === "good" ? "✓" : tone === "bad" ? "✕" : "!"}
      </span>
      <div>
        <div role="status">
          <h1>{headline(status)}</h1>
        </div>
        <p>{parts.join("; ")}.</p>
      </div>
    </div>
  );
}

const HOLDS_UP: readonly Attention["code"][] = [
  "endpoint-paused",
  "route-paused",
  "sender-off",
  "waiting-old",
  "clock-off",
  "certificate-over",
];

function headline({ status, attention, queue: { byStatus } }: Status): string {
  const texts = t().verdict;
  if (status === "down") return texts.down;
  if (byStatus.DEAD > 0) return texts.dead(byStatus.DEAD);
  const waiting = byStatus.PENDING + byStatus.SENDING + byStatus.FAILED;
  if (waiting > 0) {
    return attention.some(({ code }) => HOLDS_UP.includes(code)) ? texts.waiting(waiting) : texts.moving(waiting);
  }
  return status === "attention" ? texts.attention : texts.fine;
}

/** What needs somebody, each in a sentence with the button that cures it. */
export function AttentionList(props: { status: Status; role: Role; onDone(): void }) {
  const [said, setSaid] = useState<Said | null>(null);
  const { attention } = props.status;
  if (attention.length === 0 && said === null) return null;
  return (
    <Section title={t().verdict.todo} wide>
      <SaidNote said={said} />
      {attention.length === 0 ? <p>{t().verdict.allGood}</p> : null}
      <ul class="attention">
        {attention.map((one) => (
          <Item
            attention={one}
            role={props.role}
            key={`${one.code} ${JSON.stringify(one.facts)}`}
            onSaid={(next) => {
              setSaid(next);
              props.onDone();
            }}
          />
        ))}
      </ul>
    </Section>
  );
}

function Item(props: { attention: Attention; role: Role; onSaid(said: Said): void }) {
  const { code, facts, level, mend } = props.attention;
  const advice = t().attention[code](facts, formatDuration, size, some);
  const cures = findCures(props);
  return (
    <li class={level === "down" ? "bad" : "warn"}>
      <span class="mark" aria-hidden="true">
        {level === "down" ? "✕" : "!"}
      </span>
      <div>
        <p>{advice.text}</p>
        <p class="quiet">{advice.mend}</p>
        {cures.length > 0 ? (
          <div class="buttons">{cures}</div>
        ) : isCommand(mend) ? (
          <p class="quiet">
            {t().cure.command} <Command text={mend} />
          </p>
        ) : null}
      </div>
    </li>
  );
}

/** The buttons for it that this role may press; none: it is mended on the machine. */
function findCures({ attention: { code, facts }, role, onSaid }: Parameters<typeof Item>[0]) {
  const { cure } = t();
  const link = (text: string, href: string) => (
    <a class="button" href={href} key={text}>
      {text}
    </a>
  );
  const certificate = (municipality: unknown) =>
    role === "admin"
      ? [link(cure.certificate, linkTo("certificates", municipality ? { municipality: String(municipality) } : {}))]
      : [];
  switch (code) {
    case "dead": {
      const reason = String(facts["reason"]);
      const selection = { states: ["DEAD" as const], reason };
      const again = <Deed label={cure.retry} key="retry" onDeed={() => retry(selection)} onSaid={onSaid} />;
      const look = link(cure.look, linkTo("messages", { state: "DEAD", reason }));
      if (reason.startsWith("CERTIFICADO_")) return [...certificate(undefined), look];
      // Without its picture it can never be delivered.
      return mayOperate(role) && !reason.startsWith("NO_IMAGE_") ? [again, look] : [look];
    }
    case "dead-others":
      return [link(cure.look, linkTo("messages", { state: "DEAD" }))];
    case "waiting-old":
      return [link(cure.look, linkTo("messages", { state: "PENDING,FAILED" }))];
    case "certificate-over":
    case "certificate-ends":
    case "certificate-missing":
    case "certificate-refused":
      return certificate(facts["municipality"]);
    case "endpoint-paused":
    case "route-paused": {
      const endpoint = String(facts["endpoint"]);
      const again = <Deed label={cure.tryNow} key="try" onDeed={() => tryNow(endpoint)} onSaid={onSaid} />;
      const isRefused = facts["kind"] === "misconfigured";
      const address = role === "admin" ? [link(cure.address, linkTo("registry/endpoints"))] : [];
      const mend = !isRefused ? [] : code === "route-paused" ? certificate(undefined) : address;
      return [...mend, ...(mayOperate(role) ? [again] : [])];
    }
    case "camera-none":
      return role === "admin" ? [link(t().registry.addCamera, linkTo("registry/cameras", { add: "" }))] : [];
    case "held-unregistered":
      return role === "admin" ? [link(cure.register, linkTo("quarantine"))] : [];
    case "held-malformed":
      return [link(cure.look, linkTo("quarantine"))];
    default:
      return [];
  }
}

/** Some of the mends are advice in English, which stands above in the language of the page. */
function isCommand(mend: string): boolean {
  return /^(tattile|systemctl|journalctl|timedatectl) /.test(mend);
}

import { formatDuration } from "../../format.ts";
import { size, some, t } from "./i18n.ts";
import { Command, Section } from "./parts.tsx";
import type { Attention, Status } from "./wire.ts";

/** Is everything delivered? One line, as large as it is important. */
export function Verdict(props: { status: Status; now: number }) {
  const { status, now } = props;
  const texts = t().verdict;
  const { byStatus, oldestAt } = status.queue;
  const waiting = byStatus.PENDING + byStatus.SENDING + byStatus.FAILED;
  const isHeldUp = status.attention.some(({ code }) => HOLDS_UP.includes(code));
  const headline =
    status.status === "down"
      ? texts.down
      : byStatus.DEAD > 0
        ? texts.dead(byStatus.DEAD)
        : waiting > 0
          ? isHeldUp
            ? texts.waiting(waiting)
            : texts.moving(waiting)
          : status.status === "attention"
            ? texts.attention
            : texts.fine;
  const tone = status.status === "fine" ? "good" : status.status === "down" ? "bad" : "warn";
  const last = Math.max(0, ...status.endpoints.map(({ lastAcceptedAt }) => Date.parse(lastAcceptedAt ?? "") || 0));
  const oldest = Math.min(
    ...(["PENDING", "SENDING", "FAILED"] as const).map((state) => Date.parse(oldestAt[state] ?? "") || Infinity),
  );
  const parts = [last === 0 ? texts.noneYet : texts.last(formatDuration(now - last))];
  if (Number.isFinite(oldest)) parts.push(texts.oldest(formatDuration(now - oldest)));
  return (
    <div class={`verdict ${tone}`} role="status">
      <span class="mark" aria-hidden="true">
        {tone === "good" ? "✓" : tone === "bad" ? "✕" : "!"}
      </span>
      <div>
        <h1>{headline}</h1>
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

/** What needs somebody, each in a sentence with what cures it. */
export function AttentionList({ status }: { status: Status }) {
  const texts = t().verdict;
  if (status.attention.length === 0) return null;
  return (
    <Section title={texts.todo} wide>
      <ul class="attention">
        {status.attention.map((attention) => (
          <Item attention={attention} key={`${attention.code} ${JSON.stringify(attention.facts)}`} />
        ))}
      </ul>
    </Section>
  );
}

function Item({ attention }: { attention: Attention }) {
  const { code, facts, level, mend } = attention;
  const advice = t().attention[code](facts, formatDuration, size, some);
  return (
    <li class={level === "down" ? "bad" : "warn"}>
      <span class="mark" aria-hidden="true">
        {level === "down" ? "✕" : "!"}
      </span>
      <div>
        <p>{advice.text}</p>
        <p class="quiet">{advice.mend}</p>
        {isCommand(mend) ? (
          <p class="quiet">
            {t().cure.command} <Command text={mend} />
          </p>
        ) : null}
      </div>
    </li>
  );
}

/** Some of the mends are advice in English, which stands above in the language of the page. */
function isCommand(mend: string): boolean {
  return /^(tattile|systemctl|journalctl|timedatectl) /.test(mend);
}

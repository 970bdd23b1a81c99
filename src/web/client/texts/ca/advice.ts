import type { Facts, Texts } from "../texts.ts";
import { reason } from "./reasons.ts";
import { days, messages, n, of, readings } from "./words.ts";

const task = (facts: Facts): string =>
  ({ ingest: "La recepció de lectures", sender: "L’enviament", api: "El servei del tauler" })[String(facts["task"])] ??
  String(facts["task"]);
const harm = (facts: Facts): string =>
  facts["task"] === "ingest"
    ? "no es rep cap lectura; les càmeres guarden les seves"
    : "no es lliura res; les lectures esperen";

export const advice: Pick<Texts, "cure" | "attention"> = {
  cure: {
    retry: "Envia de nou",
    certificate: "Importa certificat",
    register: "Dona d’alta",
    look: "Mostra",
    command: "A la màquina:",
    tryNow: "Prova-ho ara",
    trying: "S’està provant amb un missatge. Si s’accepta, segueixen els altres.",
    notPaused: "Ja no està en pausa.",
    address: "Canvia l’adreça",
    retried: (count) =>
      count === 0
        ? "No hi havia res per enviar de nou."
        : `${readings(count)} ${count === 1 ? "s’envia" : "s’envien"} ara de nou.`,
  },
  attention: {
    "service-missing": (f) => ({ text: `${task(f)} no està en marxa: ${harm(f)}.`, mend: "Engegueu-ho a la màquina." }),
    "service-dead": (f) => ({
      text: `${task(f)} ha caigut: ${harm(f)}.`,
      mend: "Engegueu-ho de nou i mireu-ne el registre.",
    }),
    "service-stalled": (f, span) => ({
      text: `${task(f)} no respon des de fa ${span(Number(f["silentMs"]))}.`,
      mend: "Mireu-ne el registre.",
    }),
    "sender-off": () => ({
      text: "L’enviament està desactivat: les lectures esperen.",
      mend: "Poseu SENDER_ENABLED=true i reinicieu el servei.",
    }),
    "balance-off": (f) => ({
      text: `Balanç: ${readings(Math.abs(Number(f["difference"])))} ${Number(f["difference"]) > 0 ? "de menys" : "de més"}.`,
      mend: "Conserveu el registre i aviseu-ne.",
    }),
    "disk-full": (f, _span, size) => ({
      text: `El disc és ple (${size(Number(f["freeBytes"]))} lliures): les càmeres han de guardar les seves lectures.`,
      mend: `Allibereu espai al disc de ${String(f["folder"])}.`,
    }),
    "disk-low": (f, _span, size) => ({
      text: `El disc és gairebé ple (${size(Number(f["freeBytes"]))} lliures).`,
      mend: `Allibereu espai al disc de ${String(f["folder"])}.`,
    }),
    "clock-off": (f, span) => ({
      text: `El rellotge d’aquesta màquina ${Number(f["offsetMs"]) > 0 ? "endarrereix" : "avança"} ${span(Math.abs(Number(f["offsetMs"])))} respecte al de la policia, que rebutja el que té 5 minuts o és 1 minut en el futur.`,
      mend: "Deixeu que la màquina posi en hora el rellotge tota sola.",
    }),
    "endpoint-paused": (f) => ({
      text: `${f["endpoint"]} està en pausa: ${pauseText(f)}`,
      mend:
        f["kind"] === "misconfigured"
          ? "Reviseu l’adreça del servei."
          : "Reviseu la xarxa d’aquesta màquina. Es torna a provar tot sol i no es perd cap lectura.",
    }),
    "route-paused": (f) => ({
      text: `${f["endpoint"]} no accepta un dels nostres certificats: ${f["detail"]}.`,
      mend: "Importeu el certificat vigent.",
    }),
    "certificate-over": (f) => ({
      text: `El certificat ${of(f["municipality"])} ha caducat.`,
      mend: "Importeu el nou.",
    }),
    "certificate-ends": (f) => ({
      text: `El certificat ${of(f["municipality"])} caduca d’aquí a ${days(Number(f["daysLeft"]))}.`,
      mend: "Demaneu el nou i importeu-lo.",
    }),
    "certificate-missing": (f) => ({
      text: `${f["municipality"]} té càmeres però no certificat: les seves lectures no es poden signar.`,
      mend: "Importeu-ne el certificat.",
    }),
    "certificate-refused": (f) => ({
      text: `El certificat següent ${of(f["municipality"])} ha estat rebutjat; torna a signar l’anterior: ${f["detail"]}.`,
      mend: "Pregunteu a qui l’ha emès i prepareu-ne un altre.",
    }),
    dead: (f) => {
      const { text, mend } = reason(String(f["reason"]));
      return { text: `${readings(Number(f["count"]))} sense poder lliurar: ${text}`, mend };
    },
    "dead-others": (f) => ({
      text: `Hi ha més lectures sense poder lliurar, per ${f["reasons"] === 1 ? "un altre motiu" : `${n(Number(f["reasons"]))} motius més`}.`,
      mend: "Mireu-les a la cua.",
    }),
    "waiting-old": (f, span) => ({
      text: `La lectura més antiga en espera va arribar fa ${span(Number(f["ageMs"]))}.`,
      mend: "Mireu a dalt què la reté; si no hi ha motiu, mireu-la a la cua.",
    }),
    "camera-silent": (f, _span, _size, some) => ({
      text: `Cap lectura des de fa un dia de ${some(f["serials"])}.`,
      mend: "Reviseu la càmera, el corrent i la xarxa.",
    }),
    "camera-never": (f, _span, _size, some) => ({
      text: `No ha arribat mai cap lectura de ${some(f["serials"])}.`,
      mend: "Reviseu a la càmera l’adreça i el port d’aquesta màquina, i aquí el número de sèrie.",
    }),
    "camera-none": () => ({
      text: "No hi ha cap càmera donada d’alta.",
      mend: "Doneu d’alta la primera.",
    }),
    "held-unregistered": (f, _span, _size, some) => ({
      text: `Es retenen lectures de càmeres sense donar d’alta: ${some(f["serials"])}.`,
      mend: "Doneu-les d’alta: llavors es lliura el que s’ha retingut.",
    }),
    "held-malformed": (f) => ({
      text: `${messages(Number(f["messages"]))} que no s’${f["messages"] === 1 ? "ha" : "han"} pogut entendre.`,
      mend: "Reviseu quins camps envia la càmera.",
    }),
    "spool-waiting": (f) => ({
      text: `${readings(Number(f["readings"]))} ${f["readings"] === 1 ? "espera" : "esperen"} al disc d’aquesta màquina: no s’arriba a la base de dades o al magatzem de les fotos.`,
      mend: "Passen soles quan torni a respondre, i no es perd res. Reviseu PostgreSQL i el magatzem d’objectes.",
    }),
    "spool-held-back": (f) => ({
      text: `${readings(Number(f["readings"]))} al disc d’aquesta màquina ${f["readings"] === 1 ? "és" : "són"} de càmeres que ja no estan donades d’alta, o estan desactivades.`,
      mend: "Doneu d’alta la càmera o activeu-la, i es lliuren; si no, s’esborren quan s’acabi el termini.",
    }),
  },
};

function pauseText(facts: Facts): string {
  const kind =
    { unreachable: "no s’hi arriba", unanswered: "no respon", misconfigured: "ens rebutja" }[String(facts["kind"])] ??
    "per un motiu desconegut";
  return `${kind} (${facts["detail"]}).`;
}

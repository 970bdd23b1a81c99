import type { Facts, Texts } from "../texts.ts";
import { reason } from "./reasons.ts";
import { days, messages, n, readings } from "./words.ts";

const task = (facts: Facts): string =>
  ({ ingest: "La recepción de lecturas", sender: "El envío", api: "El servicio del panel" })[String(facts["task"])] ??
  String(facts["task"]);
const harm = (facts: Facts): string =>
  facts["task"] === "ingest"
    ? "no se recibe ninguna lectura; las cámaras guardan las suyas"
    : "no se entrega nada; las lecturas esperan";

export const advice: Pick<Texts, "cure" | "attention"> = {
  cure: {
    retry: "Enviar de nuevo",
    certificate: "Importar certificado",
    register: "Dar de alta",
    look: "Ver",
    command: "En la máquina:",
    tryNow: "Probar ahora",
    trying: "Se está probando con un mensaje. Si se acepta, siguen los demás.",
    notPaused: "Ya no está en pausa.",
    address: "Cambiar la dirección",
    retried: (count) =>
      count === 0
        ? "No había nada que enviar de nuevo."
        : `${readings(count)} se ${count === 1 ? "envía" : "envían"} ahora de nuevo.`,
  },
  attention: {
    "service-missing": (f) => ({
      text: `${task(f)} no está en marcha: ${harm(f)}.`,
      mend: "Arránquelo en la máquina.",
    }),
    "service-dead": (f) => ({
      text: `${task(f)} se ha caído: ${harm(f)}.`,
      mend: "Arránquelo de nuevo y mire su registro.",
    }),
    "service-stalled": (f, span) => ({
      text: `${task(f)} no responde desde hace ${span(Number(f["silentMs"]))}.`,
      mend: "Mire su registro.",
    }),
    "sender-off": () => ({
      text: "El envío está desactivado: las lecturas esperan.",
      mend: "Ponga SENDER_ENABLED=true y reinicie el servicio.",
    }),
    "balance-off": (f) => ({
      text: `Balance: ${readings(Math.abs(Number(f["difference"])))} ${Number(f["difference"]) > 0 ? "de menos" : "de más"}.`,
      mend: "Conserve el registro y avise.",
    }),
    "disk-full": (f, _span, size) => ({
      text: `El disco está lleno (${size(Number(f["freeBytes"]))} libres): las cámaras tienen que guardar sus lecturas.`,
      mend: `Libere espacio en el disco de ${String(f["folder"])}.`,
    }),
    "disk-low": (f, _span, size) => ({
      text: `El disco está casi lleno (${size(Number(f["freeBytes"]))} libres).`,
      mend: `Libere espacio en el disco de ${String(f["folder"])}.`,
    }),
    "clock-off": (f, span) => ({
      text: `El reloj de esta máquina ${Number(f["offsetMs"]) > 0 ? "atrasa" : "adelanta"} ${span(Math.abs(Number(f["offsetMs"])))} respecto al de la policía, que rechaza lo que tiene 5 minutos o está 1 minuto en el futuro.`,
      mend: "Deje que la máquina ponga en hora su reloj por sí sola.",
    }),
    "endpoint-paused": (f) => ({
      text: `${f["endpoint"]} está en pausa: ${pauseText(f)}`,
      mend:
        f["kind"] === "misconfigured"
          ? "Revise la dirección del servicio."
          : "Revise la red de esta máquina. Se vuelve a intentar solo y no se pierde ninguna lectura.",
    }),
    "route-paused": (f) => ({
      text: `${f["endpoint"]} no acepta uno de nuestros certificados: ${f["detail"]}.`,
      mend: "Importe el certificado vigente.",
    }),
    "certificate-over": (f) => ({
      text: `El certificado de ${f["municipality"]} ha caducado.`,
      mend: "Importe el nuevo.",
    }),
    "certificate-ends": (f) => ({
      text: `El certificado de ${f["municipality"]} caduca en ${days(Number(f["daysLeft"]))}.`,
      mend: "Pida el nuevo e impórtelo.",
    }),
    "certificate-missing": (f) => ({
      text: `${f["municipality"]} tiene cámaras pero no certificado: sus lecturas no se pueden firmar.`,
      mend: "Importe su certificado.",
    }),
    "certificate-refused": (f) => ({
      text: `El certificado siguiente de ${f["municipality"]} fue rechazado; vuelve a firmar el anterior: ${f["detail"]}.`,
      mend: "Pregunte a quien lo emitió y prepare otro.",
    }),
    dead: (f) => {
      const { text, mend } = reason(String(f["reason"]));
      return { text: `${readings(Number(f["count"]))} sin poder entregar: ${text}`, mend };
    },
    "dead-others": (f) => ({
      text: `Hay más lecturas sin poder entregar, por ${f["reasons"] === 1 ? "otro motivo" : `otros ${n(Number(f["reasons"]))} motivos`}.`,
      mend: "Mírelas en la cola.",
    }),
    "waiting-old": (f, span) => ({
      text: `La lectura más antigua en espera llegó hace ${span(Number(f["ageMs"]))}.`,
      mend: "Mire arriba qué la retiene; si no hay motivo, mírela en la cola.",
    }),
    "camera-silent": (f, _span, _size, some) => ({
      text: `Ninguna lectura desde hace un día de ${some(f["serials"])}.`,
      mend: "Revise la cámara, su corriente y su red.",
    }),
    "camera-never": (f, _span, _size, some) => ({
      text: `Nunca ha llegado una lectura de ${some(f["serials"])}.`,
      mend: "Revise en la cámara la dirección y el puerto de esta máquina, y aquí su número de serie.",
    }),
    "camera-none": () => ({
      text: "No hay ninguna cámara dada de alta.",
      mend: "Dé de alta la primera.",
    }),
    "held-unregistered": (f, _span, _size, some) => ({
      text: `Se retienen lecturas de cámaras sin dar de alta: ${some(f["serials"])}.`,
      mend: "Délas de alta: lo retenido se entrega entonces.",
    }),
    "held-malformed": (f) => ({
      text: `${messages(Number(f["messages"]))} sin poder entender.`,
      mend: "Revise qué campos envía la cámara.",
    }),
    "spool-waiting": (f) => ({
      text: `${readings(Number(f["readings"]))} ${f["readings"] === 1 ? "espera" : "esperan"} en el disco de esta máquina: no se llega a la base de datos o al almacén de las fotos.`,
      mend: "Pasan por sí solas cuando vuelva a responder, y no se pierde nada. Revise PostgreSQL y el almacén de objetos.",
    }),
    "spool-held-back": (f) => ({
      text: `${readings(Number(f["readings"]))} en el disco de esta máquina ${f["readings"] === 1 ? "es" : "son"} de cámaras que ya no están dadas de alta, o están desactivadas.`,
      mend: "Dé de alta la cámara o actívela, y se entregan; si no, se borran cuando acabe su plazo.",
    }),
  },
};

function pauseText(facts: Facts): string {
  const kind =
    { unreachable: "no se alcanza", unanswered: "no responde", misconfigured: "nos rechaza" }[String(facts["kind"])] ??
    "por un motivo desconocido";
  return `${kind} (${facts["detail"]}).`;
}

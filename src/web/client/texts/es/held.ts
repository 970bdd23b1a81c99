import type { Texts } from "../texts.ts";
import { messages } from "./words.ts";

export const held: Pick<Texts, "held"> = {
  held: {
    title: "Cuarentena",
    unregistered: "Cámaras sin dar de alta",
    unregisteredHelp: "Se guarda lo que enviaron. Cuando se da de alta la cámara, se entrega.",
    malformed: "Mensajes que no se han podido entender",
    malformedHelp: "Revise qué campos envía la cámara. Después, lo retenido se puede volver a tomar o borrar.",
    readerCode: "Código de lector",
    readerHelp: "codiLector, lo da la policía, 16 caracteres como máximo",
    description: "Descripción (a su gusto)",
    empty: "No hay nada retenido.",
    reason: "Qué pasa",
    from: "Desde",
    received: "Recibido",
    size: "Tamaño",
    again: "Volver a tomar",
    drop: "Borrar",
    waiting: (count) => `${messages(count)} ${count === 1 ? "retenido" : "retenidos"}`,
    allFields: (serial) => `Indicar también coordenadas, otro servicio o zona horaria para ${serial}`,
    registered: (serial) => `La cámara ${serial} está dada de alta. Lo retenido se está tomando.`,
    results: (results) => `Hecho: ${results}.`,
    dropSure: (count) => `¿Borrar ${messages(count)}? No se puede deshacer.`,
    dropped: (count) => `${messages(count)} ${count === 1 ? "borrado" : "borrados"}.`,
    outcomes: {
      queued: "en la cola",
      duplicate: "ya conocida",
      inactive: "cámara desactivada",
      unregistered: "cámara sin dar de alta",
      "not-read": "sin matrícula",
      quarantined: "sigue sin entenderse",
      malformed: "sigue sin entenderse",
      gone: "contenido no guardado",
    },
  },
};

import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });

/** Results, questions and the plan of `apply`, by their English, with the places of their values. */
export const RESULTS: Readonly<Record<string, Translation>> = {
  // Results.
  "added {~1}": said("afegit: {~1}", "añadido: {~1}"),
  "changed {~1}": said("canviat: {~1}", "cambiado: {~1}"),
  "unchanged {~1}": said("ja estava així: {~1}", "ya estaba así: {~1}"),
  "removed {~1}": said("tret: {~1}", "quitado: {~1}"),
  "removed camera {1}, erased {~2} and {~3}": said(
    "treta la càmera {1}; esborrat: {~2} i {~3}",
    "quitada la cámara {1}; borrado: {~2} y {~3}",
  ),
  "would {~1}": said("es faria: {~1}", "se haría: {~1}"),
  "retried {~1}: {~2}": said("presos de nou: {~1} ({~2})", "tomados de nuevo: {~1} ({~2})"),
  "retried {~1}": said("tornats a enviar: {~1}", "reenviados: {~1}"),
  "erased {~1} and {~2}": said("esborrat: {~1} i {~2}", "borrado: {~1} y {~2}"),
  "erased {~1}": said("esborrat: {~1}", "borrado: {~1}"),
  "restarted {1}": said("reiniciat: {1}", "reiniciado: {1}"),
  "More than {1}; go on with {2}": said(
    "N'hi ha més de {1}; els següents, amb {2}",
    "Hay más de {1}; los siguientes, con {2}",
  ),
  "More than {1}; see earlier ones with {2}": said(
    "N'hi ha més de {1}; els anteriors, amb {2}",
    "Hay más de {1}; los anteriores, con {2}",
  ),
  "and {1} more: tattile status --json": said("i {1} més: tattile status --json", "y {1} más: tattile status --json"),
  "looking …": said("mirant …", "mirando …"),
  "No entry.": said("Cap anotació.", "Ninguna anotación."),
  "No message.": said("Cap missatge.", "Ningún mensaje."),
  "No reading.": said("Cap lectura.", "Ninguna lectura."),
  "Nothing is held.": said("No hi ha res retingut.", "No hay nada retenido."),
  "No camera yet. Add one: {1}": said(
    "Encara no hi ha cap càmera. Afegiu-ne una: {1}",
    "Aún no hay cámaras. Añada una: {1}",
  ),
  "No municipality yet. Add one: {1}": said(
    "Encara no hi ha cap municipi. Afegiu-ne un: {1}",
    "Aún no hay municipios. Añada uno: {1}",
  ),
  "No endpoint yet. Add one: {1}": said(
    "Encara no hi ha cap endpoint. Afegiu-ne un: {1}",
    "Aún no hay endpoints. Añada uno: {1}",
  ),
  "No certificate yet. Import one: {1}": said(
    "Encara no hi ha cap certificat. Importeu-ne un: {1}",
    "Aún no hay certificados. Importe uno: {1}",
  ),
  "No token yet. Make one: {1}": said(
    "Encara no hi ha cap testimoni d'accés. Creeu-ne un: {1}",
    "Aún no hay tokens. Cree uno: {1}",
  ),
  "Nothing is being rotated. To stage:\n  {1}": said(
    "No es renova cap certificat. Per preparar-ne un:\n  {1}",
    "No se renueva ningún certificado. Para preparar uno:\n  {1}",
  ),
  "Listening on port {1}; nothing is stored. Ctrl-C ends it.": said(
    "S'escolta al port {1}; no es desa res. Ctrl-C ho acaba.",
    "Se escucha en el puerto {1}; no se guarda nada. Ctrl-C lo termina.",
  ),
  "{#1} shown of {#2} messages.": said("Vistos {#1} de {#2} missatges.", "Vistos {#1} de {#2} mensajes."),
  "camera {1} is off; it goes with the last of its {~2}": said(
    "la càmera {1} està desactivada; marxa amb l'última de {~2}",
    "la cámara {1} está desactivada; se va con la última de {~2}",
  ),
  "removed municipality {1} with {~2}, erased {~3} and {~4}": said(
    "tret el municipi {1} amb {~2}; esborrat: {~3} i {~4}",
    "quitado el municipio {1} con {~2}; borrado: {~3} y {~4}",
  ),
  "revoked the token of {1}": said("revocat el testimoni d'accés de {1}", "revocado el token de acceso de {1}"),
  "token of {1} ({2})": said("testimoni d'accés de {1} ({2})", "token de acceso de {1} ({2})"),
  "token of {1} ({2}), until {3}": said(
    "testimoni d'accés de {1} ({2}), fins al {3}",
    "token de acceso de {1} ({2}), hasta el {3}",
  ),
  "Keep it now: it cannot be shown again.": said(
    "Guardeu-lo ara: no es pot tornar a mostrar.",
    "Guárdelo ahora: no se puede volver a mostrar.",
  ),
  "Warning: {1} is not https: plates and pictures cross the network readable by anybody on the way.": said(
    "Avís: {1} no és https: matrícules i fotos travessen la xarxa a la vista de qualsevol del camí.",
    "Aviso: {1} no es https: matrículas y fotos cruzan la red a la vista de cualquiera del camino.",
  ),
  "endpoint {1} is not paused; its messages are sent as they fall due": said(
    "l'endpoint {1} no està en pausa; els seus missatges s'envien quan els toca",
    "el endpoint {1} no está en pausa; sus mensajes se envían cuando les toca",
  ),
  "endpoint {1}: {~2} ended, a message is tried at once": said(
    "endpoint {1}: fi de {~2}; es prova un missatge de seguida",
    "endpoint {1}: fin de {~2}; se prueba un mensaje enseguida",
  ),
  "How it went: tattile endpoint list": said(
    "Com ha anat: tattile endpoint list",
    "Cómo ha ido: tattile endpoint list",
  ),
  // A delivery by hand.
  "Nothing was sent (--dry-run).": said("No s'ha enviat res (--dry-run).", "No se ha enviado nada (--dry-run)."),
  "In the queue it would be {~1}.": said("A la cua quedaria així: {~1}.", "En la cola quedaría así: {~1}."),
  "Answer after {#1} ms: {~2}, {~3}": said(
    "Resposta al cap de {#1} ms: {~2}, {~3}",
    "Respuesta tras {#1} ms: {~2}, {~3}",
  ),
  "Their clock: {1} (as ours)": said("El seu rellotge: {1} (com el nostre)", "Su reloj: {1} (como el nuestro)"),
  "Their clock: {1} ({2} s from ours)": said(
    "El seu rellotge: {1} ({2} s respecte del nostre)",
    "Su reloj: {1} ({2} s respecto al nuestro)",
  ),
  // What is going on.
  "taking in: {#1} of {#2}": said("prenent: {#1} de {#2}", "tomando: {#1} de {#2}"),
  "erasing held messages: {#1} of {#2}": said(
    "esborrant missatges retinguts: {#1} de {#2}",
    "borrando mensajes retenidos: {#1} de {#2}",
  ),
  "erasing images: {#1} of {#2}": said("esborrant imatges: {#1} de {#2}", "borrando imágenes: {#1} de {#2}"),
  "copying images: {#1} of {#2}": said("copiant imatges: {#1} de {#2}", "copiando imágenes: {#1} de {#2}"),
  "comparing with what is registered: {#1} s": said(
    "comparant amb el que hi ha registrat: {#1} s",
    "comparando con lo registrado: {#1} s",
  ),
  "applying {#1} change: {#2} s": said("aplicant {#1} canvi: {#2} s", "aplicando {#1} cambio: {#2} s"),
  "applying {#1} changes: {#2} s": said("aplicant {#1} canvis: {#2} s", "aplicando {#1} cambios: {#2} s"),
  "sent {#1} of {#2}": said("enviades {#1} de {#2}", "enviadas {#1} de {#2}"),
  // Certificates.
  "certificate of {1}: {~2}": said("certificat de {1}: {~2}", "certificado de {1}: {~2}"),
  "next certificate of {1}: {2}": said("pròxim certificat de {1}: {2}", "próximo certificado de {1}: {2}"),
  "Warning: the present one runs out on {1}, before that: readings wait in between.": said(
    "Avís: el d'ara caduca el {1}, abans d'això: entremig les lectures esperen.",
    "Aviso: el de ahora caduca el {1}, antes de eso: entretanto las lecturas esperan.",
  ),
  "forgot the rotation of {1}; its certificate stays listed: {2}": said(
    "s'ha oblidat la renovació de {1}; el seu certificat segueix a la llista: {2}",
    "se ha olvidado la renovación de {1}; su certificado sigue en la lista: {2}",
  ),
  // Questions.
  "This will {~1}. Type yes to go ahead: ": said(
    "Es farà: {~1}. Escriviu sí per tirar endavant: ",
    "Se hará: {~1}. Escriba sí para seguir: ",
  ),
  "Password of {1}: ": said("Contrasenya de {1}: ", "Contraseña de {1}: "),
  "Plate: ": said("Matrícula: ", "Matrícula: "),
  // The plan of apply.
  "Nothing to change: {~1} as the file says.": said(
    "No cal canviar res: {~1} com diu el fitxer.",
    "No hay nada que cambiar: {~1} como dice el fichero.",
  ),
  "{1} to add, {2} to change, {3} to remove, {4} unchanged.": said(
    "Per afegir, {1}; per canviar, {2}; per treure, {3}; sense canvis, {4}.",
    "Para añadir, {1}; para cambiar, {2}; para quitar, {3}; sin cambios, {4}.",
  ),
  "Done.": said("Fet.", "Hecho."),
  "applying the site: something was changed meanwhile, nothing was done": said(
    "mentrestant algú ha canviat alguna cosa; no s'ha fet res",
    "entretanto alguien ha cambiado algo; no se ha hecho nada",
  ),
  "run it again and look at the new plan": said("torneu-ho a fer i mireu el pla nou", "repítalo y mire el plan nuevo"),
  "planning the site: {~1}": said("en mirar el fitxer del lloc: {~1}", "al mirar el fichero del sitio: {~1}"),
  "Mend what is named; nothing was changed.": said(
    "corregiu el que s'indica; no ha canviat res",
    "corrija lo que se indica; no ha cambiado nada",
  ),
  "camera {1} cannot be removed: readings of it wait (send or discard them first)": said(
    "la càmera {1} no es pot treure: té lectures en espera (envieu-les o descarteu-les abans)",
    "la cámara {1} no se puede quitar: tiene lecturas en espera (envíelas o descártelas antes)",
  ),
  "municipality {1} cannot be removed: camera {2} uses it": said(
    "el municipi {1} no es pot treure: el fa servir la càmera {2}",
    "el municipio {1} no se puede quitar: lo usa la cámara {2}",
  ),
  "endpoint {1} cannot be removed: {~2} uses it": said(
    "l'endpoint {1} no es pot treure: el fa servir {~2}",
    "el endpoint {1} no se puede quitar: lo usa {~2}",
  ),
};

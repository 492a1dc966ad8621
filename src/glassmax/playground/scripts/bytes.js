// Bytes as base64, and through a stream that packs or unpacks them.

export const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

export const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

export async function piped(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

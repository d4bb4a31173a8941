import { createHmac, timingSafeEqual } from "node:crypto";

const expected = createHmac("sha256", process.env.VICKET_WEBHOOK_SECRET!)
  .update(rawBody)
  .digest("hex");

const sigHex = header.split("v1=")[1];
if (!timingSafeEqual(Buffer.from(sigHex, "hex"), Buffer.from(expected, "hex"))) {
  return new Response("invalid signature", { status: 401 });
}

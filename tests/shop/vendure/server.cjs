// A Vendure server on localhost with its database in memory, for the tests of the adapter and for a look at the story.
// Run it where `npm install @vendure/core@3.7.3 sql.js@1.14.2` was run: node server.cjs PORT
const path = require("node:path");
const here = (name) => require(require.resolve(name, { paths: [process.cwd()] }));
const vendure = here("@vendure/core");

const port = Number(process.argv[2] ?? 3000);
const cheap = { hash: async (text) => `plain:${text}`, check: async (text, hash) => hash === `plain:${text}` };

// What a payment's `metadata.refunds` says: settled at once, pending, failed, or settled after some milliseconds.
const payments = new vendure.PaymentMethodHandler({
  code: "test-payments",
  description: [{ languageCode: "en", value: "Payments of the tests" }],
  args: {},
  createPayment: async (_context, _order, amount, _args, metadata) => ({
    amount: metadata.amount ?? amount,
    state: "Settled",
    transactionId: `pay_${Math.random().toString(36).slice(2)}`,
    metadata,
  }),
  settlePayment: async () => ({ success: true }),
  createRefund: async (_context, _input, _amount, _order, payment) => {
    const kind = payment.metadata.refunds ?? "Settled";
    if (typeof kind === "number") await new Promise((done) => setTimeout(done, kind));
    return { state: typeof kind === "number" ? "Settled" : kind, transactionId: `re_${Math.random()}` };
  },
});

const config = vendure.mergeConfig(vendure.defaultConfig, {
  apiOptions: { hostname: "127.0.0.1", port, adminApiPath: "admin-api", shopApiPath: "shop-api" },
  authOptions: {
    tokenMethod: ["bearer", "api-key"],
    superadminCredentials: { identifier: "superadmin", password: "superadmin" },
    requireVerification: false,
    adminApiKeyStrategy: new vendure.RandomBytesApiKeyStrategy({ hashingStrategy: cheap }),
    passwordHashingStrategy: cheap,
  },
  dbConnectionOptions: { type: "sqljs", synchronize: true, autoSave: false, logging: false },
  paymentOptions: { paymentMethodHandlers: [payments] },
  importExportOptions: { importAssetsDir: path.join(process.cwd(), "assets") },
  logger: new vendure.DefaultLogger({ level: vendure.LogLevel.Warn }),
  plugins: [],
});

vendure.bootstrap(config).then(
  (app) => {
    console.log(`ready on ${port}`);
    process.once("SIGTERM", () => app.close().then(() => process.exit(0)));
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);

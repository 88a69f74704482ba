// Asks a simulated exchange by yahoo-finance2, with its validation on, and
// compares what it says in different ways. Usage: node check.mjs URL SYMBOL...
import http from "node:http";
import YahooFinance from "yahoo-finance2";

const [base, ...symbols] = process.argv.slice(2);
const server = new URL(base);

// fetch as the client expects it, but for the host: Yahoo's hosts are all one
// server here, which is told by the Host header whom it stands for. Only
// node:http lets a client set that.
function toServer(url, options = {}) {
  const target = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = { ...Object.fromEntries(new Headers(options.headers)), host: target.host };
    const request = http.request(
      { host: server.hostname, port: server.port, path: target.pathname + target.search, method: options.method ?? "GET", headers },
      (answer) => {
        const parts = [];
        answer.on("data", (part) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const out = new Headers();
          for (let i = 0; i < answer.rawHeaders.length; i += 2) {
            out.append(answer.rawHeaders[i], answer.rawHeaders[i + 1]);
          }
          const body = [204, 304].includes(answer.statusCode) ? null : Buffer.concat(parts);
          const response = new Response(body, { status: answer.statusCode, headers: out });
          Object.defineProperty(response, "url", { value: url });
          resolve(response);
        });
      },
    );
    request.on("error", reject);
    if (options.body) request.write(options.body);
    request.end();
  });
}

const client = new YahooFinance({
  fetch: toServer,
  suppressNotices: ["yahooSurvey"],
  validation: { logErrors: true, logOptionsErrors: true, allowAdditionalProps: false },
});

let failed = 0;
function check(ok, words) {
  if (!ok) {
    failed++;
    console.error("wrong: " + words);
  }
}

const quotes = await client.quote(symbols);
check(quotes.length === symbols.length, `${quotes.length} quotes of ${symbols.length}`);
for (const quote of quotes) {
  check(quote.regularMarketPrice > 0 && quote.currency, `${quote.symbol}: ${quote.regularMarketPrice} ${quote.currency}`);
}

const now = new Date();
for (const symbol of symbols.slice(0, 5)) {
  const chart = await client.chart(symbol, { period1: new Date(now - 5 * 86400e3), period2: now, interval: "1d" });
  const quote = quotes.find((q) => q.symbol === symbol);
  check(chart.meta.currency === quote.currency, `${symbol}: a chart in ${chart.meta.currency}, a quote in ${quote.currency}`);
  check(chart.quotes.length > 0 && chart.quotes.every((bar) => bar.close > 0), `${symbol}: bars`);
  const last = chart.quotes.at(-1).close;
  check(Math.abs(last / quote.regularMarketPrice - 1) < 0.01, `${symbol}: the chart says ${last}, the quote ${quote.regularMarketPrice}`);
}

const found = await client.search("novo", { newsCount: 0 });
check(found.quotes.some((q) => q.symbol === "NOVO-B.CO"), "the search does not find NOVO-B.CO");

let refused = "";
try {
  await client.chart("NOSUCHSYMBOL", { period1: new Date(now - 86400e3) });
} catch (error) {
  refused = error.message;
}
check(refused.includes("No data found"), `an unknown symbol: ${refused}`);

console.log(`${quotes.length} quotes, ${found.quotes.length} found`);
process.exitCode = failed > 0 ? 1 : 0;

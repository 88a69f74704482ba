// Package yahoo asks Yahoo Finance for prices and for the rates that they need,
// and hands each answer on as received. Its [Source] polls for as long as it is
// run; its [Client] makes single calls.
//
// Yahoo is asked as a guest asks: one session for all workers, one budget of
// requests, few at a time, waits that grow when it refuses, and all of this
// remembered over a restart. A request that fails ends nothing. Whatever speaks
// Yahoo's protocol can be asked instead, on other addresses.
//
// The package must not know what becomes of an answer: no queue, no store, no
// conversion. It looks into an answer only for what it needs to go on asking:
// which symbols were left out, in which units prices came, whether there are any.
//
// Yahoo documents nothing of its protocol. The facts were read in public clients
// (yfinance, node-yahoo-finance2, ticker, ghostfolio) and in the answers that
// they recorded; they are named where they are used.
package yahoo

// Package oracle holds our providers and our sandbox against WSO2's own code, run on this machine.
//
// It is a package of tests. WSO2PLAN_ORACLES names a folder of programs that run parts of the real
// servers: apim-parts (API Manager's admin, devportal and publisher APIs) and charon (Identity
// Server's SCIM2 library). The tests start them on loopback ports that are free, one at a time, and
// stop them in the end, however they end. They are skipped, loudly, where the variable is not set:
// the servers need a JVM and minutes. `make oracles` sets it.
//
//   - TestContract… leads every resource type that a server serves through its life, by wso2plan's
//     own engine and providers.
//   - TestRequests… sends thousands of generated requests to the real server and to the sandbox and
//     compares the answers. Where they differ, the sandbox is wrong; the places where it is meant to
//     differ are those of exceptions_test.go, each with its reason.
//
// The built servers are kept in WSO2PLAN_ORACLE_CACHE, or in wso2plan/oracles under the user's cache
// directory; delete it to build again. WSO2PLAN_ORACLE_SEED and WSO2PLAN_ORACLE_REQUESTS repeat a
// run or make it longer; WSO2PLAN_ORACLE_ODD=1 sends the publisher also what is seldom sent and what
// is wrong. WSO2PLAN_ORACLE_APIM is the address of an apim-parts that runs already
// (apim-parts/start.sh in the cache), for work on one test.
package oracle

/** The same call as HTTP with JSON: node http-target.js. Prints `ready PID URL`. */
import { createServer } from 'node:http'

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const [a, b] = JSON.parse(Buffer.concat(chunks).toString())
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(a + b))
  })
})
server.listen(0, '127.0.0.1', () =>
  console.log(`ready ${process.pid} http://127.0.0.1:${server.address().port}/add`),
)
process.stdin.on('end', () => process.exit()).resume()

/**
 * The dashboard on what people run: a RabbitMQ broker and an Elixir application, whose load is to be seen. With
 * `BEAMPEER_SCREENSHOTS=docs/images` it takes the pictures of them for the documents.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { closeAtEnd, cookie, privateEpmd, startBeam, uniqueName } from '../support/beam.js'
import { start } from '../support/process.js'
import { startBroker } from '../support/rabbitmq.js'
import { accessibilityFaults, openLive, startDashboard, startProbe, visit } from './support.js'

async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env['BEAMPEER_SCREENSHOTS']
  if (directory === undefined) return
  // For people, charts have something to tell after a minute.
  await page.waitForTimeout(60_000)
  await page.screenshot({ path: join(directory, `dashboard-${name}.png`) })
}

test('a RabbitMQ broker: messages that nobody takes are seen in its processes, its tables and its memory', async () => {
  const { name, process: broker } = await startBroker()
  const client = await startBeam()
  // It has programs of its own, which it ends itself.
  closeAtEnd(async () => {
    await client.evalText(`erpc:cast('${name}', rabbit, stop_and_halt, [])`)
    await broker.exit
  })
  const dashboard = await startDashboard(await startProbe([name]))
  const { page, context, complaints } = await openLive(dashboard, `#/nodes/${name}/supervision?open=rabbit`)
  await page
    .getByRole('button', { name: /^Children of rabbit_.*sup/ })
    .first()
    .waitFor()
  await visit(page, `#/nodes/${name}/ets?filter=rabbit_queue`)
  await page.locator('tbody th', { hasText: /^rabbit_queue$/ }).waitFor()

  // Through its own functions: publishing takes no AMQP client.
  await client.evalText(
    `true = net_kernel:connect_node('${name}'),
     Call = fun(M, F, A) -> erpc:call('${name}', M, F, A) end,
     Queue = {resource, <<"/">>, queue, <<"orders">>},
     Call(rabbit_amqqueue, declare, [Queue, true, false, [], none, <<"test">>]), ok`,
  )
  await client.evalText(
    `spawn(fun() -> (fun Loop(N) ->
       erpc:call('${name}', rabbit_basic, publish,
         [{resource, <<"/">>, exchange, <<>>}, <<"orders">>, [], binary:copy(<<N>>, 4000)]), Loop(N + 1) end)(0) end), ok`,
  )
  await visit(page, `#/nodes/${name}`)
  await page.getByRole('heading', { level: 1, name }).waitFor()
  // It is another node's doing: the link to it has traffic.
  await page
    .locator('tbody tr', { hasText: client.name })
    .filter({ hasText: /KiB\/s/ })
    .waitFor()
  expect(await accessibilityFaults(page)).toEqual([])
  await picture(page, 'rabbitmq-light')
  expect(complaints).toEqual([])
  await context.close()
}, 300_000)

/** Work that does not end. */
const LOAD = `
  Enum.each(1..8, fn n ->
    spawn(fn ->
      Process.register(self(), :"load_#{n}")
      Stream.repeatedly(fn -> Enum.sum(1..20_000) end) |> Enum.each(fn _ -> Process.sleep(1) end)
    end)
  end)
  IO.puts("loaded")
  Process.sleep(:infinity)`

test('an Elixir application: its tree, and the processes that have the most to do', async () => {
  const project = await mkdtemp(join(tmpdir(), 'beampeer-shop-'))
  closeAtEnd(() => rm(project, { recursive: true }))
  await cp('examples/elixir', project, { recursive: true })
  const name = uniqueName('shop')
  const shop = await start(
    'elixir',
    ['--name', name, '--cookie', cookie, '-S', 'mix', 'run', '--no-halt', '-e', LOAD],
    {
      cwd: project,
      env: {
        ERL_EPMD_PORT: String(await privateEpmd()),
        ERL_ZFLAGS: '-start_epmd false',
        PRICES: 'nobody@127.0.0.1',
        MIX_ENV: 'prod',
        HOME: project,
        LANG: 'C.UTF-8',
      },
    },
  )
  await shop.waitForLine(/^loaded$/m)
  const dashboard = await startDashboard(await startProbe([name]))
  const { page, context, complaints } = await openLive(
    dashboard,
    `#/nodes/${name}/applications?filter=shop`,
    {
      theme: 'dark',
    },
  )
  await page.getByRole('link', { name: 'tree of shop' }).click()
  await page
    .getByText(/Elixir\.Shop/)
    .first()
    .waitFor()
  await visit(page, `#/nodes/${name}/processes?by=reductions&filter=load_`)
  const rows = page.locator('tbody tr', { hasText: /load_\d.*\d(\.\d+)?[kM]/ })
  await rows.nth(7).waitFor()
  await rows.first().getByRole('link').click()
  await page
    .locator('section', { hasText: 'Stack' })
    .getByText(/Elixir\.(Stream|Enum|Process)/)
    .first()
    .waitFor()
  expect(await accessibilityFaults(page)).toEqual([])
  await visit(page, `#/nodes/${name}`)
  await page.getByRole('heading', { level: 1, name }).waitFor()
  await picture(page, 'elixir-dark')
  expect(complaints).toEqual([])
  await context.close()
}, 300_000)

/** The OpenAPI document (version 3.1), made of the routes and of the schemas that the answers are checked against. */
import { z } from 'zod'
import { PROBLEM_TYPE } from './problem.ts'
import { type Answer, methodOf, type Route } from './routes.ts'
import { schemas } from './schemas.ts'

type Json = Readonly<Record<string, unknown>>

const PLACE = '#/components/schemas/'

/** `version`: the API's. */
export function openApi(routes: readonly Route[], version: string): Json {
  return {
    openapi: '3.1.1',
    info: {
      title: 'fettle relay',
      version,
      description:
        'Who relayed how much for how long. Every answer in JSON, but for those on reports, says in `commit` which ' +
        'state of the ledger it has seen; numbers rise. Times are ISO 8601 in UTC.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths: Object.fromEntries(routes.map((route) => [route.path, { [methodOf(route)]: operation(route) }])),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'the file "token" in the data folder' },
      },
      schemas: components(),
    },
    security: [{ token: [] }],
  }
}

function operation(route: Route): Json {
  const [first, ...rest] = route.summary.split(/(?<=\.) /)
  return {
    operationId: route.path.replaceAll(/\W+/g, '_').replace(/^_|_$/g, ''),
    summary: first,
    ...(rest.length === 0 ? {} : { description: route.summary }),
    ...(route.open ? { security: [] } : {}),
    parameters: Object.entries(route.query.shape).map(([name, schema]) => parameter(route, name, schema as z.ZodType)),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': body(route.body) } } }),
    responses: responses(route),
  }
}

const body = ({ schema }: NonNullable<Route['body']>): Json => ({ schema: { $ref: PLACE + schema } })

function parameter(route: Route, name: string, field: z.ZodType): Json {
  const inPath = route.path.includes(`{${name}}`)
  const { $schema: _, description, ...schema } = z.toJSONSchema(field, { io: 'input' })
  const required = !field.safeParse(undefined).success
  return { name, in: inPath ? 'path' : 'query', required, description, schema }
}

function responses(route: Route): Json {
  const byStatus = Map.groupBy(route.answers, (answer) => answer.status)
  const own = Array.from(byStatus, ([status, answers]) => [
    String(status),
    {
      description: answers.map((answer) => answer.says).join('; '),
      content: Object.assign({}, ...answers.map((answer) => ({ [answer.type]: content(answer) }))),
    },
  ])
  return {
    ...Object.fromEntries(own),
    400: problemResponse('Something in the request is wrong; all of it is said'),
    ...(route.open
      ? {}
      : {
          401: problemResponse('No token, or a wrong one'),
          403: problemResponse('A browser asks for a page of another origin'),
        }),
    ...(route.path.includes('{') ? { 404: problemResponse('There is none') } : {}),
    default: problemResponse('Something else is wrong'),
  }
}

function content({ schema }: Answer): Json {
  return { schema: schema === undefined ? { type: 'string' } : { $ref: PLACE + schema } }
}

function problemResponse(description: string): Json {
  return { description, content: { [PROBLEM_TYPE]: { schema: { $ref: `${PLACE}Problem` } } } }
}

function components(): Json {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id })
  const { schemas: made } = z.toJSONSchema(registry, { uri: (id) => PLACE + id })
  return Object.fromEntries(
    Object.entries(made).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [name, schema]),
  )
}

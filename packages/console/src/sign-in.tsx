import { useEffect, useRef, useState } from 'preact/hooks'

interface SignInProps {
  /** The last token was not the meter's. */
  readonly wrong: boolean
  enter(token: string): void
}

export function SignIn({ wrong, enter }: SignInProps) {
  const [token, setToken] = useState('')
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim() !== '') enter(token.trim())
        }}
      >
        <h1>fettle</h1>
        {wrong && (
          <p class="fault" role="alert">
            This is not the meter’s token.
          </p>
        )}
        <label for="token">The meter’s token</label>
        <input
          ref={field}
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="token-hint"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <p id="token-hint" class="quiet">
          It is in the file <code>token</code> of the meter’s data folder, which the meter names when it starts. It is
          kept for this tab only.
        </p>
        <button type="submit" class="primary">
          Show the meter
        </button>
      </form>
    </main>
  )
}

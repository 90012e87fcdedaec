"""Answers every call and says welcome: the smallest application that is one."""

from relay_actors import CallActor, RelayApp

app = RelayApp()


@app.calls("default")
class Welcome(CallActor):
    """One caller, from the first ring to the end."""

    async def run(self) -> None:
        """An await suspends this call, and no other."""
        self.log.info("%s is calling", self.from_number)
        await self.answer()
        await self.play_tts("Welcome to the Harbour Museum!").wait()
        await self.hangup()  # leaving `run` would do it, too
        self.log.info("the call has ended: %s", (await self.wait_for_ended()).end_reason)


if __name__ == "__main__":
    app.run()

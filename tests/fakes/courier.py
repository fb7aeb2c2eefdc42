"""A courier that carries nothing anywhere: it answers as the test says and remembers what it was given."""

from core.patience import Answer


class FakeCourier:
    """Answers from `answers`, the last one again and again; an exception among them is raised."""

    def __init__(self, *answers):
        self.answers, self.carried = list(answers) or [Answer(200)], []

    def carry(self, endpoint, message):
        self.carried.append((endpoint.id, message))
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def messages(self):
        return [message for _, message in self.carried]

    @property
    def events(self):
        return [message.type for message in self.messages]

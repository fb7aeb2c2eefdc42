"""A node in a process of its own, to be killed: it writes a test event, and delivers it if it is told to."""

import sys
from time import sleep

from fakes.webhook_office import OPERATOR, wall_clock

from bot.settings import Settings
from bot.webhooks.courier import WebhookCourier
from jobs.connect import send_test
from jobs.deliver import deliver_due
from jobs.desk import Desk
from storage.database import Database


def main(url, work, number):
    settings = Settings(_env_file=None, FLAKEGUARD_DATABASE_URL=url)
    courier = WebhookCourier(settings, wall_clock, seconds=60)
    desk = Desk(Database.open(url, pool_size=2), wall_clock, courier=courier)
    send_test(desk, int(number), by=OPERATOR)
    print("written", flush=True)
    if work == "deliver":
        deliver_due(desk)
    sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])

! Worker and broker functions in Fortran, and what the controller asks of them: prints the
! same on any number of ranks, with groups (argument: ranks of each) and without.
module roles
    use dwq
    implicit none

contains

    subroutine check(what, good)
        character(*), intent(in) :: what
        logical, intent(in) :: good

        if (.not. good) then
            print '(3a)', what, ": no"
            error stop 1
        end if
    end subroutine

    subroutine check_run_args(args)
        type(dwq_kwargs_t), intent(in) :: args
        type(c_ptr) :: text

        call check("run_args", args%n == 1)
        call check("run_args'", logical(dwq_read_string(dwq_map_find(args, "word"//c_null_char), text)))
        call check("run_args''", dwq_text(text) == "of all")
    end subroutine

    integer(c_int) function tell(call, arg) bind(C)
        type(c_ptr), value :: call, arg
        type(dwq_kwargs_t) :: kwargs
        type(c_ptr) :: b
        real(c_float) :: x
        integer(c_int) :: rc

        kwargs = dwq_call_kwargs(call)
        call check("kwargs", kwargs%n == 1 .and. .not. c_associated(arg))
        call check("float", logical(dwq_read_float(dwq_map_find(kwargs, "x"//c_null_char), x)))
        b = dwq_builder_create()
        rc = dwq_builder_double(b, value=2 * real(x, c_double))
        tell = dwq_call_return_built(call, b)
        call dwq_builder_destroy(b)
    end function

    integer(c_int) function worker(w, arg) bind(C)
        type(c_ptr), value :: w, arg
        type(c_ptr) :: b, result
        type(dwq_world_t) :: world
        real(c_double) :: y
        integer(c_int) :: rc

        call check("arg", .not. c_associated(arg))
        call check_run_args(dwq_worker_run_args(w))
        world = dwq_worker_world(w)
        rc = dwq_worker_id(w)
        call check("id", rc >= 0 .and. rc <= world%n_workers)
        call check("is worker", logical(world%is_worker) .and. world%rank < world%size)
        b = dwq_builder_create("tell"//c_null_char)
        rc = dwq_builder_double(b, "x"//c_null_char, 4._c_double)
        result = dwq_result_create()
        call check("execute", dwq_worker_execute(w, dwq_builder_task(b), result) == DWQ_OK)
        call check("executed", logical(dwq_read_double(dwq_result_value(result, 0, 0_c_size_t), y)) .and. nint(y) == 8)
        call dwq_builder_destroy(b)
        call dwq_result_destroy(result)
        call check("serve", dwq_worker_serve(w) == DWQ_OK)
        worker = 0
    end function

    integer(c_int) function broker(b, arg) bind(C)
        type(c_ptr), value :: b, arg

        call check("broker's arg", .not. c_associated(arg))
        call check_run_args(dwq_broker_run_args(b))
        call check("broker's id", dwq_broker_id(b) >= 1)
        call check("broker serves", dwq_broker_serve(b) == DWQ_OK)
        broker = 0
    end function

    subroutine check_each(c, n_workers)
        type(c_ptr), intent(in) :: c
        integer(c_int), intent(in) :: n_workers
        type(c_ptr) :: task, result
        type(dwq_counts_t) :: counts
        integer(c_int64_t) :: ids(64)
        integer(c_size_t) :: n
        integer(c_int) :: rc
        integer :: i

        task = dwq_builder_create("tell"//c_null_char)
        rc = dwq_builder_double(task, "x"//c_null_char, 0.5_c_double)
        call check("each", dwq_controller_submit_each(c, dwq_builder_task(task), ids, n) == DWQ_OK)
        call check("one for each", n == max(1, n_workers))
        result = dwq_result_create()
        do i = 1, int(n)
            call check("result", dwq_controller_get_result(c, ids(i), result) == DWQ_OK)
            call dwq_result_clear(result)
        end do
        call check("counts", dwq_controller_counts(c, counts) == DWQ_OK)
        call check("counted", counts%collected == n .and. counts%queued + counts%held + counts%running == 0)
        rc = dwq_builder_set_int(task, "ranks"//c_null_char, -2_c_int64_t)
        call check("refused", dwq_controller_submit_call(c, dwq_builder_task(task)) == DWQ_E_ARG)
        call check("why", index(dwq_text(dwq_controller_error(c)), "ranks is -2:") > 0)
        call dwq_builder_destroy(task)
        call dwq_result_destroy(result)
    end subroutine

    integer(c_int) function controller(c, arg) bind(C)
        type(c_ptr), value :: c, arg
        type(dwq_world_t) :: world
        type(dwq_worker_info_t) :: info
        type(dwq_value_t), target :: data
        integer(c_int) :: number

        call check("controller's arg", .not. c_associated(arg))
        call check_run_args(dwq_controller_run_args(c))
        world = dwq_controller_world(c)
        call check("is controller", logical(world%is_controller))
        call check_each(c, world%n_workers)
        if (world%n_workers > 0) then
            call check("info", dwq_worker_info(c, 1, info) == DWQ_OK .and. info%n_ranks >= 1)
            do while (dwq_controller_get_ready_worker(c, number, data) == DWQ_E_AGAIN)
            end do
            call check("number", number >= 1 .and. number <= world%n_workers)
        end if
        call check("exit", dwq_controller_exit(c) == DWQ_OK)
        print '(2a)', "all: ", dwq_text(dwq_status_text(DWQ_OK))
        controller = 0
    end function
end module roles

program roles_fortran
    use roles
    implicit none
    type(c_ptr) :: options, args
    integer(c_int) :: rc, code
    integer(c_int64_t) :: nprocs
    character(8) :: text

    options = dwq_options_create()
    rc = dwq_options_add_function(options, "tell"//c_null_char, c_funloc(tell), c_null_ptr)
    rc = dwq_options_set_roles(options, c_funloc(controller), c_funloc(worker), c_null_funptr, c_null_ptr)
    if (command_argument_count() > 0) then
        call get_command_argument(1, text)
        read (text, *) nprocs
        rc = dwq_options_set_int(options, "nprocs_per_worker"//c_null_char, nprocs)
        rc = dwq_options_set_roles(options, c_funloc(controller), c_funloc(worker), c_funloc(broker), c_null_ptr)
    end if
    args = dwq_builder_create()
    rc = dwq_builder_string(args, "word"//c_null_char, "of all"//c_null_char)
    rc = dwq_options_set_run_args(options, args)
    call dwq_builder_destroy(args)
    code = 1
    rc = dwq_run(options, code)
    call dwq_options_destroy(options)
    call dwq_finalize()
    if (rc /= DWQ_OK .or. code /= 0) error stop 1
end program roles_fortran
